//! The sessions of this account, and a way to end each of them.

use api_types::account::SessionEntry;
use leptos::prelude::*;
use session_client::ApiError;
use ui::{
    components::{ErrorNotice, MoreButton, PageHeading, Placeholder, list, maybe, use_toasts},
    format,
    paged_query::use_paged_query,
    require_session::require_session,
    routes,
    session_ctx::use_session,
    submission::Submission,
    words::Operation,
};

use super::{alarm::AlarmNotice, nav::AccountNav};

/// What a button on this page ends.
#[derive(Debug, Clone, PartialEq, Eq)]
enum SessionsToEnd {
    /// The session with this id.
    One(String),
    Others,
}

impl SessionsToEnd {
    /// The message after it.
    fn when_ended(&self) -> &'static str {
        match self {
            Self::One(_) => "That session has ended.",
            Self::Others => "All other sessions have ended.",
        }
    }
}

/// For signed-in users; others are sent to sign in and come back.
#[component]
pub fn SessionsPage() -> impl IntoView {
    let session = use_session();
    require_session(session, routes::ACCOUNT_SESSIONS);
    let sessions = use_paged_query(|manager, request| async move {
        let page = manager.sessions(request.after.as_deref()).await?;
        Ok((page.sessions, page.next))
    });
    let (pages, has_more) = (sessions.query(), sessions.has_more());
    let ending = Submission::new(Operation::EndSessions);
    let toasts = use_toasts();

    let end = move |target: SessionsToEnd| {
        ending.send(
            async move |manager| {
                let ended = match &target {
                    SessionsToEnd::One(id) => manager.revoke_session(id).await,
                    SessionsToEnd::Others => manager.revoke_other_sessions().await,
                };
                match ended {
                    Ok(()) => Ok(Some(target.when_ended())),
                    // Ended already, in another tab or by expiry: the list shows it.
                    Err(ApiError::Problem(problem)) if problem.status == 404 => Ok(None),
                    Err(error) => Err(error),
                }
            },
            move |words| {
                if let Some(words) = words {
                    toasts.say(words);
                }
                sessions.reload();
            },
        );
    };

    let others = Memo::new(move |_| {
        let pages = pages.data().read();
        let is_other = |entry: &SessionEntry| !entry.current;
        has_more.get()
            || pages
                .as_ref()
                .is_some_and(|pages| pages.entries.iter().any(is_other))
    });
    let rows = move || match pages.data().get() {
        Some(pages) => list(pages.entries.into_iter().map(|entry| {
            let end = Callback::new(move |id| end(SessionsToEnd::One(id)));
            view! { <Device entry busy=ending.busy() end /> }
        })),
        None => view! { <DeviceSkeleton /> }.into_any(),
    };
    let more = move || {
        view! {
            <MoreButton
                label="Show more sessions"
                busy=ending.busy()
                load_more=move |()| sessions.load_more()
            />
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
            <ErrorNotice failure=ending.failure() />
            <ErrorNotice failure=pages.failure() retry=pages.retry() />
            <ul
                class="entries"
                aria-busy=move || if pages.data().read().is_none() { "true" } else { "false" }
            >
                {move || rows()}
            </ul>
            {move || maybe(has_more.get().then(more))}
            <div class="card__foot">
                <button
                    class="button"
                    type="button"
                    disabled=move || !others.get()
                    aria-disabled=move || ending.busy().get().then_some("true")
                    on:click=move |_| end(SessionsToEnd::Others)
                >
                    "End all other sessions"
                </button>
                <p class="card__note">"You stay signed in here."</p>
            </div>
        </div>
    }
    .into_any()
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
                    {maybe(
                        entry
                            .ip
                            .map(|ip| {
                                view! {
                                    " · signed in from "
                                    <span class="code">{ip}</span>
                                }
                            }),
                    )}
                </p>
                <p>
                    "Signed in "
                    <time datetime=format::rfc3339(
                        entry.created_at,
                    )>{format::date_time(entry.created_at, offset)}</time>
                </p>
            </div>
            {foot}
        </li>
    }
    .into_any()
}

/// The placeholder of one entry: there is always at least the session of this browser.
#[component]
fn DeviceSkeleton() -> impl IntoView {
    view! {
        <li class="entry" aria-hidden="true">
            <div class="entry__text">
                <p class="entry__name">
                    <Placeholder />
                </p>
                <p>
                    <Placeholder length="medium" />
                </p>
                <p>
                    <Placeholder length="medium" />
                </p>
            </div>
        </li>
    }
    .into_any()
}
