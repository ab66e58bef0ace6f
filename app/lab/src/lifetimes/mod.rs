//! Two sliders for token lifetimes, and their consequences.
//!
//! [`mod@estimate`] calculates the numbers, [`plot`] draws them.

pub mod estimate;
pub mod plot;

use std::time::Duration;

use leptos::prelude::*;
use ui::{
    components::{Notice, Tone, list, maybe, text},
    session_ctx::use_session,
};

use super::prose::{self, Prose};
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
        maybe(sound.get().err().map(|error| {
            view! {
                <Notice tone=Tone::Alarm title="The server would not start">
                    <p>{error.to_string()}</p>
                </Notice>
            }
        }))
    };
    view! {
        <section class="card" aria-labelledby="lifetimes">
            <h2 class="card__title" id="lifetimes">"How long should they live?"</h2>
            <div class="lab__prose" inner_html=prose::html(Prose::Lifetimes)></div>
            <div class="lab__pair">
                <Slider id="access-lifetime" name="Access token, from issue" stops=&ACCESS stop=access_stop />
                <Slider id="idle-lifetime" name="Refresh token, unused" stops=&IDLE stop=idle_stop />
            </div>
            <div role="alert">{move || complaint()}</div>
            <dl class="facts">{move || facts()}</dl>
            <div class="lab__pair">
                <div inner_html=move || plot::requests(access.get())></div>
                <div inner_html=move || plot::damage(access.get())></div>
            </div>
            <div class="table-sheet" tabindex="0" role="group" aria-label="What lifetimes come to">
                <table class="table">
                    <caption class="sr-only">"What the lifetime of an access token comes to"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Access token lives"</th>
                            <th scope="col">"Refreshes a day"</th>
                            <th scope="col">"Stolen, and the session cannot be ended"</th>
                            <th scope="col">"Stolen, Keyturn, once ended"</th>
                        </tr>
                    </thead>
                    <tbody>{move || rows(access.get())}</tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

fn chosen(stops: &[u64], stop: usize) -> Duration {
    Duration::from_secs(stops.get(stop).copied().unwrap_or_default())
}

#[component]
fn Slider(
    id: &'static str,
    name: &'static str,
    stops: &'static [u64],
    stop: RwSignal<usize>,
) -> impl IntoView {
    let session = use_session();
    view! {
        <div class="field">
            <div class="field__head">
                <label for=id>{name}</label>
                <span class="field__aside">{move || text(span(chosen(stops, stop.get())))}</span>
            </div>
            <input
                type="range"
                id=id
                min="0"
                max=(stops.len() - 1).to_string()
                value=stop.get_untracked().to_string()
                autocomplete="off"
                aria-valuetext=move || spoken(chosen(stops, stop.get()))
                disabled=move || !session.hydrated()
                on:input=move |event| {
                    if let Ok(place) = event_target_value(&event).parse() {
                        stop.set(place);
                    }
                }
            />
        </div>
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
