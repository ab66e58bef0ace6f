//! Journal of the events in a browser, in order.

use std::time::Duration;

use api_types::auth::User;
use session_client::{ApiResponse, News, SessionView, Wakeup};

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) at: Duration,
    pub(crate) tab: usize,
    /// Whether a sign-out was unfinished.
    pub(crate) marked: bool,
    pub(crate) what: What,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    /// The page was loaded, and restores its session.
    Loaded,
    /// The page is gone, with every request that waited for a response.
    Closed,
    /// The page sent a request with the access token.
    Wanted,
    /// A request was sent.
    Sent {
        path: String,
    },
    Answered {
        path: String,
        answer: ApiResponse,
    },
    /// No response will arrive.
    Unanswered {
        path: String,
    },
    /// The view has changed.
    Shows(SessionView),
    Heard(News),
    Woken(Wakeup),
}

/// The user that a page with this view shows.
pub(crate) fn person_in(view: &SessionView) -> Option<&User> {
    match view {
        SessionView::SignedIn { user, .. } | SessionView::Reconnecting { user: Some(user) } => Some(user),
        _ => None,
    }
}
