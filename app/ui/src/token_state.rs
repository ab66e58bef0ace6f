//! The state of the access token, as far as a page may know it.

use std::time::Duration;

use session_client::SessionView;

/// Whether this page has an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenState {
    /// The token is in memory, and expires at this time of the manager's clock.
    Held(Duration),
    /// The session is being restored, or there is none.
    Pending,
    /// There is a token, but the server that would accept it is unreachable.
    Unreachable,
    /// There is no token, and the server is unreachable.
    Absent,
}

impl TokenState {
    pub fn of(view: &SessionView) -> Self {
        match view {
            SessionView::SignedIn { expires_at, .. } => Self::Held(*expires_at),
            SessionView::Reconnecting { user: Some(_) } => Self::Unreachable,
            SessionView::Reconnecting { user: None } => Self::Absent,
            SessionView::Unknown | SessionView::Restoring | SessionView::Anonymous { .. } => Self::Pending,
        }
    }

    /// When it expires, on the clock of the session manager.
    pub fn expires_at(self) -> Option<Duration> {
        match self {
            Self::Held(expires_at) => Some(expires_at),
            Self::Pending | Self::Unreachable | Self::Absent => None,
        }
    }
}
