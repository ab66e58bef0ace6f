//! What happened in a browser, in the order in which it did.

use std::time::Duration;

use api_types::auth::User;
use session_client::{ApiResponse, News, SessionView, Wakeup};

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) at: Duration,
    pub(crate) tab: usize,
    /// A sign-out was unfinished.
    pub(crate) marked: bool,
    pub(crate) what: What,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    /// The page was loaded, and asks for its session.
    Loaded,
    /// The page is gone, and with it whoever waited for an answer.
    Closed,
    /// The page wants something of the signed-in person's.
    Wanted,
    /// A request left.
    Sent {
        path: String,
    },
    Answered {
        path: String,
        answer: ApiResponse,
    },
    /// No answer will come.
    Unanswered {
        path: String,
    },
    /// The view has changed.
    Shows(SessionView),
    Heard(News),
    Woken(Wakeup),
}

/// Whom a page with this view shows.
pub(crate) fn person_in(view: &SessionView) -> Option<&User> {
    match view {
        SessionView::SignedIn { user, .. } | SessionView::Reconnecting { user: Some(user) } => Some(user),
        _ => None,
    }
}
