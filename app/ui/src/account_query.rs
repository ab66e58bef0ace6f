//! Data of the signed-in user: when it is loaded, when it is cleared, and when a failed load is retried.

use std::time::Duration;

use api_types::auth::User;
use leptos::prelude::*;
use session_client::SessionView;

use crate::{
    session_ctx::{AuthState, SessionCtx},
    words::Failure,
};

/// The state of the access token, as far as a page may know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenState {
    /// The token is in memory, and expires at this time of the manager's clock.
    Held(Duration),
    /// The session is being restored, or there is none.
    Waiting,
    /// There is a token, but the server that would accept it is unreachable.
    Unreachable,
    /// There is no token, and the server is unreachable.
    Missing,
}

impl TokenState {
    pub fn of(view: &SessionView) -> Self {
        match view {
            SessionView::SignedIn { expires_at, .. } => Self::Held(*expires_at),
            SessionView::Reconnecting { user: Some(_) } => Self::Unreachable,
            SessionView::Reconnecting { user: None } => Self::Missing,
            SessionView::Unknown | SessionView::Restoring | SessionView::Anonymous { .. } => Self::Waiting,
        }
    }

    /// When it expires, on the clock of the session manager.
    pub fn expires_at(self) -> Option<Duration> {
        match self {
            Self::Held(ends) => Some(ends),
            Self::Waiting | Self::Unreachable | Self::Missing => None,
        }
    }
}

/// Loads data for the signed-in user when there is an access token, and clears it when there is none. It uses a signal
/// and not a `Resource`: the data must never be written into the server's HTML.
pub fn load_when_signed_in(session: SessionCtx, load: impl Fn() + 'static, forget: impl Fn() + 'static) {
    let bearer = Memo::new(move |_| {
        let view = session.view();
        (TokenState::of(&view), AuthState::of(&view).user_id())
    });
    Effect::new(move |before: Option<(TokenState, Option<String>)>| {
        let (token, user) = bearer.get();
        let (previous, known) = before.unwrap_or((TokenState::Waiting, None));
        // Another tab may have signed in as another user, and this page only noticed at its own refresh.
        let user_changed = known.is_some() && user.is_some() && known != user;
        if user_changed {
            forget();
        }
        match (previous, token) {
            (_, TokenState::Unreachable | TokenState::Missing) => {}
            // A renewed token does not change the account's data.
            (TokenState::Held(_), TokenState::Held(_)) if !user_changed => {}
            (_, TokenState::Held(_)) => load(),
            (_, TokenState::Waiting) => forget(),
        }
        // The user is remembered while the connection is lost.
        (token, user.or(known).filter(|_| token != TokenState::Waiting))
    });
}

/// A failed load is retried after this time. A view that waits for the session manager to reconnect loads sooner, by
/// [`load_when_signed_in`].
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Retries loading for as long as it fails. The server may be back although this page's session was never unreachable,
/// for example if a proxy answered in the server's place.
pub fn retry_while_failing(failure: RwSignal<Option<Failure>>, load: impl Fn() + Clone + 'static) {
    Effect::new(move |_| {
        if failure.read().is_some() {
            // Each new failure cancels the previous wait.
            if let Ok(wait) = set_timeout_with_handle(load.clone(), RETRY_AFTER) {
                on_cleanup(move || wait.clear());
            }
        }
    });
}

/// A part of the user, such as the name, without keeping the rest.
pub fn of_user<T>(user: Memo<Option<User>>, part: impl FnOnce(&User) -> T) -> Option<T> {
    user.read().as_ref().map(part)
}
