//! Security alerts for an account's owner: refresh token reuse, or many failed sign-ins.

use std::time::Duration;

use api_types::account::EventEntry;
use leptos::{html, prelude::*, task::spawn_local};
use session_client::ApiError;

use ui::{
    account_query::load_when_signed_in,
    components::{FailureText, Notice, Tone, list, maybe},
    format, routes,
    session_ctx::use_session,
    words::{self, Failure, Operation},
};

/// A failed request is repeated after this time.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// What the owner can do about it, and where.
const REMEDIES: [(&str, &str); 3] = [
    (routes::NEW_PASSWORD, "Change your password"),
    (routes::ACCOUNT_SESSIONS, "Look at your sessions"),
    (routes::EVERYWHERE, "Sign out everywhere"),
];

/// The same for failed sign-ins: nothing was stolen.
const REMEDIES_FOR_FAILED_SIGN_INS: [(&str, &str); 2] = [
    (routes::NEW_PASSWORD, "Change your password"),
    (routes::ACCOUNT_SECURITY, "See what happened"),
];

/// Alert for refresh token reuse or many failed sign-ins: its meaning, its time, its origin, and what to do. It stays
/// on every page of the account and on every device until someone dismisses it.
#[component]
pub fn AlarmNotice() -> impl IntoView {
    let session = use_session();
    let alarm = RwSignal::new(None::<EventEntry>);
    let failure = RwSignal::new(None::<Failure>);
    let (busy, noted) = (RwSignal::new(false), RwSignal::new(false));
    let place = NodeRef::<html::Div>::new();

    let tries = RwSignal::new(0_u32);
    let load = move || {
        let Some(manager) = session.manager() else { return };
        spawn_local(async move {
            match manager.alarm().await {
                Ok(found) => {
                    alarm.try_set(found);
                }
                Err(ApiError::SignedOut) => {}
                // A busy server must not suppress a warning.
                Err(_) => set_timeout(
                    move || {
                        tries.try_update(|tries| *tries += 1);
                    },
                    ASK_AGAIN,
                ),
            }
        });
    };
    Effect::new(move |_| {
        if tries.get() > 0 {
            load();
        }
    });
    load_when_signed_in(session, load, move || alarm.set(None));

    let dismiss = Callback::new(move |id: String| {
        let Some(manager) = session.manager().filter(|_| !busy.get_untracked()) else {
            return;
        };
        busy.set(true);
        failure.set(None);
        spawn_local(async move {
            let marked = manager.alarm_seen(&id).await;
            busy.try_set(false);
            match marked {
                Ok(()) => {
                    alarm.try_set(None);
                    noted.try_set(true);
                    // The button is gone, and the focus must not be lost with it.
                    if let Some(place) = place.try_get_untracked().flatten() {
                        let _ = place.focus();
                    }
                }
                Err(error) => {
                    failure.try_set(Some(Failure::of(&error, Operation::LoadSession)));
                }
            }
        });
    });

    let shown = move |entry: EventEntry| {
        view! {
            <Told entry busy=busy.into() dismiss>
                <div role="alert">{move || maybe(failure.get().map(|failure| view! { <FailureText failure /> }))}</div>
            </Told>
        }
    };
    // A few words for people who cannot see that something appeared; they read the rest when they go there.
    let said = move || {
        let (class, words) = match (alarm.read().is_some(), noted.get()) {
            (true, _) => ("sr-only", "There is a warning about your account on this page."),
            (false, true) => ("form__saved", "Noted. It stays on the timeline, under Security."),
            (false, false) => return None,
        };
        Some(view! { <p class=class>{words}</p> })
    };
    view! {
        <div class="alarm" tabindex="-1" node_ref=place>
            <div role="status">{move || maybe(said())}</div>
            {move || maybe(alarm.get().map(shown))}
        </div>
    }
    .into_any()
}

#[component]
fn Told(
    /// The reuse, or the successful sign-in after many failed ones.
    entry: EventEntry,
    /// Whether it is being dismissed.
    busy: Signal<bool>,
    /// Dismisses it, by its id.
    dismiss: Callback<String>,
    /// The error of dismissing it, if any.
    children: Children,
) -> impl IntoView {
    let session = use_session();
    let offset = session
        .platform()
        .map_or(0, |platform| platform.utc_offset_minutes(entry.at));
    let is_theft = entry.kind == "refresh_reused";
    let (words, what_to_do) = if is_theft {
        (words::reuse(), words::WHAT_TO_DO_ABOUT_REUSE)
    } else {
        (words::failed_sign_ins(), words::WHAT_TO_DO_ABOUT_FAILED_SIGN_INS)
    };
    // The timeline shows where the failed sign-ins came from; this entry is the owner's own sign-in.
    let fact = if is_theft {
        let from = words::origin(&entry).unwrap_or_else(|| "An unknown browser".into());
        Some(("The used key came from", from))
    } else {
        entry
            .count
            .map(|count| ("Failed since the sign-in before", words::how_often(count)))
    };
    let shown = move |(name, value): (&'static str, String)| {
        view! {
            <div class="facts__row facts__row--long">
                <dt>{name}</dt>
                <dd>{value}</dd>
            </div>
        }
    };
    let remedies: &'static [_] = if is_theft {
        &REMEDIES
    } else {
        &REMEDIES_FOR_FAILED_SIGN_INS
    };
    let when = if is_theft {
        "When, in your time"
    } else {
        "You signed in, in your time"
    };
    let remedy = |(href, text)| view! { <li><a href=href>{text}</a></li> };
    view! {
        <section aria-label="Warning">
            <Notice tone=Tone::Alarm title=words.title>
                <p>{words.body}</p>
                <dl class="facts">
                    <div class="facts__row facts__row--long">
                        <dt>{when}</dt>
                        <dd>
                            <time datetime=format::rfc3339(entry.at)>{format::date_time(entry.at, offset)}</time>
                        </dd>
                    </div>
                    {maybe(fact.map(shown))}
                </dl>
                <p>{what_to_do}</p>
                <ul class="alarm__remedies">{list(remedies.iter().copied().map(remedy))}</ul>
                {children()}
                <div>
                    <button
                        class="button"
                        type="button"
                        aria-disabled=move || busy.get().then_some("true")
                        on:click=move |_| dismiss.run(entry.id.clone())
                    >
                        "I have seen this"
                    </button>
                </div>
            </Notice>
        </section>
    }
    .into_any()
}
