//! What a call to the API can fail with, from the caller's point of view.

use std::fmt;

use api_types::problem::Problem;

/// Why a call did not succeed. Each says what a page should do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiError {
    /// The server refused and said why: show `detail`, or the field errors.
    Problem(Problem),
    /// No answer came (offline, timed out, connection cut): nothing is known; offer to try again.
    Offline,
    /// An answer came that is not of this API: offer to reload.
    Unexpected {
        /// The status of that answer; 0 if the request never left, because its path was not of this origin.
        status: u16,
    },
    /// There is no session (any more), so there is no token to send: go to sign-in. Also the answer to a request
    /// whose session was replaced by another while it was on its way: its result is no longer anybody's business.
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
            Self::SignedOut => f.write_str("nobody is signed in"),
        }
    }
}

impl std::error::Error for ApiError {}
