//! The message after a click on “Sign out”.

use super::Words;
use crate::session_ctx::Farewell;

/// Describes the result of signing out.
pub fn farewell(farewell: Farewell) -> Words {
    match farewell {
        Farewell::Leaving => Words {
            title: "Signing you out",
            body: "This page has already forgotten its access token. The server is being told to end the session.",
        },
        Farewell::Done => Words {
            title: "You are signed out",
            body: "The session has ended on the server, and this browser holds no token any more.",
        },
    }
}
