//! Journal of the events in a browser, in order.

use std::time::Duration;

use api_types::auth::User;
use session_client::{ApiResponse, BrowserEvent, SessionView, TabMessage};

#[derive(Debug, Clone)]
pub(crate) struct JournalEntry {
    pub(crate) at: Duration,
    pub(crate) tab: usize,
    /// Whether a sign-out was unfinished.
    pub(crate) marker_set: bool,
    pub(crate) event: JournalEvent,
}

#[derive(Debug, Clone)]
pub(crate) enum JournalEvent {
    /// The page was loaded, and restores its session.
    Loaded,
    /// The page is gone, with every request that waited for a response.
    Closed,
    /// The page sent a request with the access token.
    TokenNeeded,
    /// A request was sent.
    RequestSent {
        path: String,
    },
    ResponseReceived {
        path: String,
        answer: ApiResponse,
    },
    /// No response will arrive.
    RequestFailed {
        path: String,
    },
    /// The view has changed.
    ViewChanged(SessionView),
    MessageReceived(TabMessage),
    Browser(BrowserEvent),
}

/// The user that a page with this view shows.
pub(crate) fn displayed_user(view: &SessionView) -> Option<&User> {
    match view {
        SessionView::SignedIn { user, .. } | SessionView::Reconnecting { user: Some(user) } => Some(user),
        _ => None,
    }
}
