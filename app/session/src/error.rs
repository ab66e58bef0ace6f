//! What a call to the API can fail with, from the caller's point of view.

use api_types::problem::Problem;

/// Why a call did not succeed. Each says what a page should do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiError {
    /// The server refused and said why: show `detail`, or the field errors.
    Problem(Problem),
    /// No answer came (offline, timed out, connection cut): nothing is known; offer to try again.
    Offline,
    /// An answer came that is not of this API: offer to reload.
    Unexpected { status: u16 },
    /// There is no session (any more), so there is no token to send: go to sign-in.
    SignedOut,
}
