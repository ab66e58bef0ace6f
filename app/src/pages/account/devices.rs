//! The sessions of this account, and a way to end each of them.

use api_types::account::{SessionEntry, SessionPage};
use leptos::{prelude::*, task::spawn_local};
use session_client::ApiError;
use ui::{
    account_query::load_when_signed_in,
    account_query::retry_while_failing,
    components::{ErrorNotice, PageHeading, Placeholder, list, maybe, use_toasts},
    format,
    require_session::require_session,
    routes,
    session_ctx::use_session,
    words::{Failure, Operation},
};

use super::{alarm::AlarmNotice, nav::AccountNav};

/// The request of a button on this page.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ask {
    One(String),
    Others,
}

/// For signed-in users; others are sent to sign in and come back.
#[component]
pub fn SessionsPage() -> impl IntoView {
    let session = use_session();
    require_session(session, routes::ACCOUNT_SESSIONS);
    let entries = RwSignal::new(None::<Vec<SessionEntry>>);
    let next = RwSignal::new(None::<String>);
    let (not_loaded, failure) = (RwSignal::new(None::<Failure>), RwSignal::new(None::<Failure>));
    let busy = RwSignal::new(false);
    let toasts = use_toasts();

    let take = move |page: SessionPage, keep: bool| {
        entries.try_update(|entries| {
            let before = entries.take().filter(|_| keep).unwrap_or_default();
            *entries = Some(joined(before, page.sessions));
        });
        next.try_set(page.next);
        not_loaded.try_set(None);
    };
    let load_page = move |after: Option<String>| {
        let Some(manager) = session.manager() else { return };
        spawn_local(async move {
            match manager.sessions(after.as_deref()).await {
                Ok(page) => take(page, after.is_some()),
                Err(error) => {
                    not_loaded.try_set(Some(Failure::of(&error, Operation::LoadSession)));
                }
            }
        });
    };
    let load = move || load_page(None);
    retry_while_failing(not_loaded, load);
    load_when_signed_in(session, load, move || {
        entries.set(None);
        next.set(None);
    });

    let end = move |ask: Ask| {
        let Some(manager) = session.manager().filter(|_| !busy.get_untracked()) else {
            return;
        };
        busy.set(true);
        failure.set(None);
        spawn_local(async move {
            let ended = match &ask {
                Ask::One(id) => manager.revoke_session(id).await,
                Ask::Others => manager.revoke_other_sessions().await,
            };
            busy.try_set(false);
            match ended {
                Ok(()) => {
                    toasts.say(match ask {
                        Ask::One(_) => "That session has ended.",
                        Ask::Others => "All other sessions have ended.",
                    });
                    load();
                }
                // Ended already, in another tab or by expiry: the list shows it.
                Err(ApiError::Problem(problem)) if problem.status == 404 => load(),
                Err(error) => {
                    failure.try_set(Some(Failure::of(&error, Operation::EndSessions)));
                }
            }
        });
    };

    let others = Memo::new(move |_| {
        next.read().is_some()
            || entries
                .read()
                .as_ref()
                .is_some_and(|found| found.iter().any(|entry| !entry.current))
    });
    let rows = move || {
        match entries.get() {
        Some(found) => list(
            found
                .into_iter()
                .map(|entry| view! { <Device entry busy=busy.into() end=Callback::new(move |id| end(Ask::One(id))) /> }),
        )
        .into_any(),
        None => view! { <DeviceShape /> }.into_any(),
    }
    };
    let more = move |after: String| {
        view! {
            <button
                class="button"
                type="button"
                aria-disabled=move || busy.get().then_some("true")
                on:click=move |_| load_page(Some(after.clone()))
            >
                "Show more sessions"
            </button>
        }
    };
    view! {
        <div class="page account">
            <PageHeading title="Your sessions" />
            <AccountNav />
            <AlarmNotice />
            <p class="lead">
                "Browsers where you’re signed in. End any session you don’t recognise; it loses access within a second."
            </p>
            <ErrorNotice failure />
            <ErrorNotice failure=not_loaded retry=Callback::new(move |()| load()) />
            <ul class="entries" aria-busy=move || if entries.read().is_none() { "true" } else { "false" }>
                {move || rows()}
            </ul>
            {move || maybe(next.get().map(more))}
            <div class="card__foot">
                <button
                    class="button"
                    type="button"
                    disabled=move || !others.get()
                    aria-disabled=move || busy.get().then_some("true")
                    on:click=move |_| end(Ask::Others)
                >
                    "End all other sessions"
                </button>
                <p class="card__note">"You stay signed in here."</p>
            </div>
        </div>
    }
    .into_any()
}

/// Appends a further page to the entries shown. A session that was used in between may appear in both, and is shown
/// once.
fn joined(mut shown: Vec<SessionEntry>, page: Vec<SessionEntry>) -> Vec<SessionEntry> {
    for entry in page {
        if shown.iter().all(|before| before.id != entry.id) {
            shown.push(entry);
        }
    }
    shown
}

#[component]
fn Device(
    /// The session.
    entry: SessionEntry,
    /// Whether a session is being ended.
    busy: Signal<bool>,
    /// Ends the session with this id.
    end: Callback<String>,
) -> impl IntoView {
    let session = use_session();
    let offset = session
        .platform()
        .map_or(0, |platform| platform.utc_offset_minutes(entry.created_at));
    let name = entry
        .device
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "Unknown browser".into());
    let foot = if entry.current {
        view! { <p class="mark mark--safe">"this device"</p> }.into_any()
    } else {
        let (id, label) = (entry.id.clone(), format!("End the session of {name}"));
        view! {
            <button
                class="button"
                type="button"
                aria-label=label
                aria-disabled=move || busy.get().then_some("true")
                on:click=move |_| end.run(id.clone())
            >
                "End"
            </button>
        }
        .into_any()
    };
    view! {
        <li class="entry">
            <div class="entry__text">
                <h2 class="entry__name">{name}</h2>
                <p>
                    {format!("Last used {}", format::ago(entry.idle_seconds))}
                    {maybe(entry.ip.map(|ip| view! { " · signed in from " <span class="code">{ip}</span> }))}
                </p>
                <p>
                    "Signed in "
                    <time datetime=format::rfc3339(entry.created_at)>{format::date_time(entry.created_at, offset)}</time>
                </p>
            </div>
            {foot}
        </li>
    }
    .into_any()
}

/// The placeholder of one entry: there is always at least the session of this browser.
#[component]
fn DeviceShape() -> impl IntoView {
    view! {
        <li class="entry" aria-hidden="true">
            <div class="entry__text">
                <p class="entry__name"><Placeholder /></p>
                <p><Placeholder length="medium" /></p>
                <p><Placeholder length="medium" /></p>
            </div>
        </li>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(ids: &[&str]) -> Vec<SessionEntry> {
        let entry = |id: &&str| SessionEntry {
            id: (*id).to_owned(),
            device: None,
            ip: None,
            created_at: 0,
            last_used_at: 0,
            idle_seconds: 0,
            expires_at: 0,
            current: false,
        };
        ids.iter().map(entry).collect()
    }

    #[test]
    fn a_session_of_two_pages_is_shown_once() {
        let shown = joined(entries(&["a", "b"]), entries(&["b", "c"]));
        assert_eq!(shown, entries(&["a", "b", "c"]));
    }
}
