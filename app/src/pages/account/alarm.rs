//! Security alerts for an account's owner: refresh token reuse, or many failed sign-ins.

use api_types::account::EventEntry;
use leptos::{html, prelude::*};

use ui::{
    account_query::use_account_query,
    components::{FailureText, Notice, Tone, list, maybe},
    format, routes,
    session_ctx::use_session,
    submission::Submission,
    words::{self, Operation},
};

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
    // A failed load shows nothing and is retried: a busy server must not suppress a warning.
    let loaded = use_account_query(|manager, _| async move { manager.alarm().await }).data();
    let dismissed = RwSignal::new(None::<String>);
    let alarm = Memo::new(move |_| {
        let alarm = loaded.get().flatten();
        alarm.filter(|entry| dismissed.read().as_ref() != Some(&entry.id))
    });
    let dismissal = Submission::new(Operation::LoadSession);
    let place = NodeRef::<html::Div>::new();
    let dismiss = Callback::new(move |id: String| {
        let marked = id.clone();
        dismissal.send(
            async move |manager| manager.alarm_seen(&marked).await,
            move |()| {
                dismissed.try_set(Some(id));
                // The button is gone, and the focus must not be lost with it.
                if let Some(place) = place.try_get_untracked().flatten() {
                    let _ = place.focus();
                }
            },
        );
    });

    let shown = move |entry: EventEntry| {
        view! {
            <AlarmDetails entry busy=dismissal.busy() dismiss>
                <div role="alert">
                    {move || maybe(
                        dismissal.failure().get().map(|failure| view! { <FailureText failure /> }),
                    )}
                </div>
            </AlarmDetails>
        }
    };
    // A few words for people who cannot see that something appeared; they read the rest when they go there.
    let said = move || {
        let (class, words) = match (alarm.read().is_some(), dismissed.read().is_some()) {
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
fn AlarmDetails(
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
    let remedy = |(href, text)| {
        view! {
            <li>
                <a href=href>{text}</a>
            </li>
        }
    };
    view! {
        <section aria-label="Warning">
            <Notice tone=Tone::Alarm title=words.title>
                <p>{words.body}</p>
                <dl class="facts">
                    <div class="facts__row facts__row--long">
                        <dt>{when}</dt>
                        <dd>
                            <time datetime=format::rfc3339(
                                entry.at,
                            )>{format::date_time(entry.at, offset)}</time>
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
