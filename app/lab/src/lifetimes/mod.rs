//! Two sliders for token lifetimes, and their consequences.
//!
//! [`mod@estimate`] calculates the numbers, [`plot`] draws them.

pub mod estimate;
pub mod plot;

use std::time::Duration;

use leptos::prelude::*;
use ui::components::{Tone, list, maybe, text};

use super::{
    components::{Slider, notice, sheet_table},
    prose::{self, Prose},
};
use estimate::{ACCESS, Estimate, IDLE, OUR_ACCESS, OUR_IDLE, count, estimate, policy, span, spoken};

/// Lifetimes in the table, in addition to the selected one.
const LANDMARKS: [u64; 5] = [60, 5 * 60, 60 * 60, 8 * 60 * 60, 24 * 60 * 60];

/// The cost and the exposure of token lifetimes.
#[component]
pub fn LifetimesSection() -> impl IntoView {
    let access_stop = RwSignal::new(OUR_ACCESS);
    let idle_stop = RwSignal::new(OUR_IDLE);
    let access = Memo::new(move |_| chosen(&ACCESS, access_stop.get()));
    let sound = Memo::new(move |_| policy(access.get(), chosen(&IDLE, idle_stop.get())));
    let facts = move || match sound.get() {
        Ok(policy) => facts(estimate(&policy)),
        Err(_) => ().into_any(),
    };
    let complaint = move || {
        let error = sound.get().err();
        maybe(error.map(|error| notice(Tone::Alarm, "The server would not start", error.to_string())))
    };
    view! {
        <section class="card" aria-labelledby="lifetimes">
            <h2 class="card__title" id="lifetimes">
                "How long should they live?"
            </h2>
            <div class="lab__prose" inner_html=prose::html(Prose::Lifetimes)></div>
            <div class="lab__pair">
                {slider("access-lifetime", "Access token, from issue", &ACCESS, access_stop)}
                {slider("idle-lifetime", "Refresh token, unused", &IDLE, idle_stop)}
            </div>
            <div role="alert">{move || complaint()}</div>
            <dl class="facts">{move || facts()}</dl>
            <div class="lab__pair">
                <div inner_html=move || plot::requests(access.get())></div>
                <div inner_html=move || plot::damage(access.get())></div>
            </div>
            {sheet_table(
                "What lifetimes come to",
                "What the lifetime of an access token comes to",
                [
                    "Access token lives",
                    "Refreshes a day",
                    "Stolen, and the session cannot be ended",
                    "Stolen, Keyturn, once ended",
                ],
                move || rows(access.get()),
            )}
        </section>
    }
    .into_any()
}

fn chosen(stops: &[u64], stop: usize) -> Duration {
    Duration::from_secs(stops.get(stop).copied().unwrap_or_default())
}

fn slider(id: &'static str, name: &'static str, stops: &'static [u64], stop: RwSignal<usize>) -> AnyView {
    let lifetime = move || chosen(stops, stop.get());
    view! {
        <Slider
            id
            name
            range=[0, stops.len() - 1]
            value=stop
            shown=Signal::derive(move || span(lifetime()))
            spoken=Signal::derive(move || spoken(lifetime()))
            on_input=move |place| stop.set(place)
        />
    }
    .into_any()
}

fn facts(known: Estimate) -> AnyView {
    let facts = [
        (
            "An open tab refreshes",
            format!("{} times a day", count(known.tenths_a_day)),
        ),
        (
            "A stolen access token, where a session cannot be ended",
            format!("good for up to {}", span(known.access_unstoppable)),
        ),
        (
            "The same at Keyturn, once the session has ended",
            format!("{} at most", span(known.access_stoppable)),
        ),
        (
            "An unused stolen refresh token",
            format!("good for {}", span(known.refresh_unused)),
        ),
        (
            "A thief who refreshes, and the owner never comes back",
            format!("in for up to {}", span(known.refresh_unmissed)),
        ),
        (
            "The same, and the owner has a tab open",
            format!("found out after {} at most", span(known.refresh_missed)),
        ),
    ];
    list(facts.into_iter().map(|(name, value)| {
        view! {
            <div class="facts__row">
                <dt>{name}</dt>
                <dd>{value}</dd>
            </div>
        }
    }))
}

fn rows(access: Duration) -> AnyView {
    let mut lives = LANDMARKS.map(Duration::from_secs).to_vec();
    lives.push(access);
    lives.sort_unstable();
    lives.dedup();
    list(lives.into_iter().map(|life| {
        let here = life == access;
        view! {
            <tr aria-current=here.then_some("true")>
                <th scope="row">{span(life)} {text(if here { " (chosen)" } else { "" })}</th>
                <td>{count(estimate::tenths_a_day(life))}</td>
                <td>{span(life)}</td>
                <td>{span(estimate::KNOWN_WITHIN)}</td>
            </tr>
        }
    }))
}
