//! The message after a click on “Sign out”.

use super::Message;
use crate::session_ctx::SignOutStatus;

/// Describes the result of signing out.
pub fn sign_out_status(status: SignOutStatus) -> Message {
    match status {
        SignOutStatus::InProgress => Message {
            title: "Signing you out",
            body: "This page has already forgotten its access token. The server is being told to end the session.",
        },
        SignOutStatus::Done => Message {
            title: "You are signed out",
            body: "The session has ended on the server, and this browser holds no token any more.",
        },
    }
}
