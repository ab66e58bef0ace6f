//! What happened in a browser, in the order in which it did.

use std::time::Duration;

use session_client::{ApiResponse, News, Wakeup};

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) at: Duration,
    pub(crate) tab: usize,
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
    Heard(News),
    Woken(Wakeup),
}
