//! Errors of an API call, from the caller's point of view.

use std::fmt;

use api_types::problem::Problem;

/// Why a call failed. Each variant tells the page what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiError {
    /// The server refused the request and gave the reason: show `detail`, or the field errors.
    Problem(Problem),
    /// No response (offline, timeout, connection cut). Whether the server acted is unknown: offer to try again.
    Offline,
    /// The response is not from this API: offer to reload.
    Unexpected {
        /// The status of that response; 0 if the request was never sent, because its path leads to another origin.
        status: u16,
    },
    /// There is no session, so there is no token to send: go to sign-in. Also the result of a request whose session was
    /// replaced while it was under way, because the response belongs to the former session.
    SignedOut,
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Problem(problem) => f.write_str(&problem.detail),
            Self::Offline => f.write_str("the server could not be reached"),
            Self::Unexpected { status } => {
                write!(f, "the server gave an unexpected answer (status {status})")
            }
            Self::SignedOut => f.write_str("no one is signed in"),
        }
    }
}

impl std::error::Error for ApiError {}
