//! The account: who you are here, your session, and where your tokens are.
//!
//! The page is laid out once and for all: while the session is being looked for, and after it has ended, the same
//! cards stand there with empty shapes for what is not known. So nothing jumps when a reload brings a session back.

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

/// For the signed-in; others are sent to sign in and come back.
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

/// The access token, as far as a page may know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// It is in memory, and ends when the manager's clock shows this.
    Held(Duration),
    /// The session is being looked for, or there is none.
    Waiting,
    /// There is one, but the server that would accept it cannot be reached.
    OutOfReach,
    /// The server cannot be reached to get one.
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
            // Somebody who just signed out is not asked to come back.
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

/// Loads what a bearer may see, when there is a bearer, and forgets it when there is none. A signal and not a
/// `Resource`: it must never be written into the server's HTML.
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
        // Another tab may have signed in as somebody else, and this one learnt of it by its own renewal alone.
        let somebody_else = known.is_some() && user.is_some() && known != user;
        if somebody_else {
            forget();
        }
        match (had, token) {
            (_, Token::OutOfReach | Token::Missing) => {}
            // Renewing the token is no news about the account.
            (Token::Held(_), Token::Held(_)) if !somebody_else => {}
            (_, Token::Held(_)) => load(),
            (_, Token::Waiting) => forget(),
        }
        // Who it was is remembered while the connection is gone.
        (token, user.or(known).filter(|_| token != Token::Waiting))
    });
}

/// A load that failed is tried again by itself after this long. A view that waits for the session manager to reconnect
/// loads sooner, by [`load_when_signed_in`].
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Loads again by itself for as long as loading fails: the server may be back although this page's session was never
/// out of reach, behind a proxy for example that answers in its place.
pub(super) fn retry_while_failing(failure: RwSignal<Option<Failure>>, load: impl Fn() + Clone + 'static) {
    Effect::new(move |_| {
        if failure.read().is_some() {
            // Each new failure ends the wait of the one before.
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
        // At once too when the view changes, so that a new token is never measured with an old time.
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

/// What is known, or a shape in its place.
fn or_shape(known: Option<impl IntoView + 'static>) -> AnyView {
    match known {
        Some(known) => known.into_any(),
        None => view! { <Placeholder /> }.into_any(),
    }
}

/// The user's name and the like, without keeping the whole of it.
fn of_user<T>(user: Memo<Option<User>>, part: impl FnOnce(&User) -> T) -> Option<T> {
    user.read().as_ref().map(part)
}
