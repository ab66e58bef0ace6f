//! The account page: profile, session, and the places of the tokens.
//!
//! The layout of the page never changes. While the session is being restored, and after it has ended, the same cards
//! show placeholders for unknown values. So nothing moves when a reload restores a session.

pub mod alarm;
pub mod deletion;
pub mod devices;
pub mod findings;
pub mod nav;
pub mod password;
pub mod profile;
pub mod security;
pub mod session;
pub mod timeline;
pub mod tokens;

use std::time::Duration;

use api_types::auth::User;
use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};
use session_client::SessionView;

pub use self::{
    alarm::AlarmNotice, devices::SessionsPage, nav::AccountNav, security::SecurityPage, tokens::Countdown,
};
use self::{profile::ProfileCard, session::SessionCard, tokens::TokenPanel};
use ui::{
    components::{PageHeading, Placeholder, text},
    respond, routes,
    session_ctx::{Presence, SessionCtx, use_session},
    words::Failure,
};

/// For signed-in users; others are sent to sign in and come back.
#[component]
pub fn AccountPage() -> impl IntoView {
    let session = use_session();
    turn_strangers_away(session, routes::ACCOUNT);
    let user = Memo::new(move |_| match session.presence() {
        Presence::SignedIn(user) => Some(user),
        Presence::Pending { .. } | Presence::Anonymous => None,
    });
    let token = Memo::new(move |_| Token::of(&session.view()));
    let now = use_ticking_clock(session);
    view! {
        <div class="page account">
            <PageHeading title="Your account" />
            <AccountNav />
            <AlarmNotice />
            <p class="sr-only" role="status">
                {move || text(if user.read().is_none() { "Looking for your session" } else { "" })}
            </p>
            <div class="account__grid">
                <div class="account__main">
                    <ProfileCard user />
                    <SessionCard token />
                </div>
                <TokenPanel token now />
            </div>
        </div>
    }
    .into_any()
}

/// The state of the access token, as far as a page may know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// The token is in memory, and expires at this time of the manager's clock.
    Held(Duration),
    /// The session is being restored, or there is none.
    Waiting,
    /// There is a token, but the server that would accept it is unreachable.
    OutOfReach,
    /// There is no token, and the server is unreachable.
    Missing,
}

impl Token {
    pub fn of(view: &SessionView) -> Self {
        match view {
            SessionView::SignedIn { expires_at, .. } => Self::Held(*expires_at),
            SessionView::Reconnecting { user: Some(_) } => Self::OutOfReach,
            SessionView::Reconnecting { user: None } => Self::Missing,
            SessionView::Unknown | SessionView::Restoring | SessionView::Anonymous { .. } => Self::Waiting,
        }
    }

    fn ends(self) -> Option<Duration> {
        match self {
            Self::Held(ends) => Some(ends),
            Self::Waiting | Self::OutOfReach | Self::Missing => None,
        }
    }
}

pub fn turn_strangers_away(session: SessionCtx, page: &'static str) {
    let stranger = Memo::new(move |_| session.presence() == Presence::Anonymous);
    if stranger.get_untracked() {
        respond::redirect(&routes::with_next(routes::LOGIN, page));
    }
    let navigate = use_navigate();
    Effect::new(move |_| {
        if session.hydrated() && stranger.get() {
            // A person who has just signed out is not asked to come back.
            let signed_out = session.farewell_untracked().is_some();
            let to = if signed_out {
                routes::LOGIN.into()
            } else {
                routes::with_next(routes::LOGIN, page)
            };
            navigate(
                &to,
                NavigateOptions {
                    replace: true,
                    ..NavigateOptions::default()
                },
            );
        }
    });
}

/// Loads data for the signed-in user when there is an access token, and clears it when there is none. It uses a signal
/// and not a `Resource`: the data must never be written into the server's HTML.
pub(super) fn load_when_signed_in(
    session: SessionCtx,
    load: impl Fn() + 'static,
    forget: impl Fn() + 'static,
) {
    let bearer = Memo::new(move |_| {
        let view = session.view();
        (Token::of(&view), Presence::of(&view).user_id())
    });
    Effect::new(move |before: Option<(Token, Option<String>)>| {
        let (token, user) = bearer.get();
        let (had, known) = before.unwrap_or((Token::Waiting, None));
        // Another tab may have signed in as another user, and this page only noticed at its own refresh.
        let somebody_else = known.is_some() && user.is_some() && known != user;
        if somebody_else {
            forget();
        }
        match (had, token) {
            (_, Token::OutOfReach | Token::Missing) => {}
            // A renewed token does not change the account's data.
            (Token::Held(_), Token::Held(_)) if !somebody_else => {}
            (_, Token::Held(_)) => load(),
            (_, Token::Waiting) => forget(),
        }
        // The user is remembered while the connection is lost.
        (token, user.or(known).filter(|_| token != Token::Waiting))
    });
}

/// A failed load is retried after this time. A view that waits for the session manager to reconnect loads sooner, by
/// [`load_when_signed_in`].
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Retries loading for as long as it fails. The server may be back although this page's session was never unreachable,
/// for example if a proxy answered in the server's place.
pub(super) fn retry_while_failing(failure: RwSignal<Option<Failure>>, load: impl Fn() + Clone + 'static) {
    Effect::new(move |_| {
        if failure.read().is_some() {
            // Each new failure cancels the previous wait.
            if let Ok(wait) = set_timeout_with_handle(load.clone(), RETRY_AFTER) {
                on_cleanup(move || wait.clear());
            }
        }
    });
}

/// The manager's clock, read once a second while the page is shown.
pub fn use_ticking_clock(session: SessionCtx) -> RwSignal<Duration> {
    let now = RwSignal::new(Duration::ZERO);
    let read = move || {
        if let Some(manager) = session.manager() {
            now.try_set(manager.now());
        }
    };
    Effect::new(move |_| {
        // Also immediately when the view changes, so that a new token is never compared with an old time.
        let _ = session.view();
        read();
    });
    Effect::new(move |_| {
        if let Ok(interval) = set_interval_with_handle(read, Duration::from_secs(1)) {
            on_cleanup(move || interval.clear());
        }
    });
    now
}

/// The value, or a placeholder.
fn or_shape(known: Option<impl IntoView + 'static>) -> AnyView {
    match known {
        Some(known) => known.into_any(),
        None => view! { <Placeholder /> }.into_any(),
    }
}

/// A part of the user, such as the name, without keeping the rest.
fn of_user<T>(user: Memo<Option<User>>, part: impl FnOnce(&User) -> T) -> Option<T> {
    user.read().as_ref().map(part)
}
