//! What to say after a click on “Sign out”.

use super::Words;
use crate::session_ctx::Farewell;

/// Says what became of signing out.
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
        Farewell::NotTold => Words {
            title: "You are signed out on this page",
            body: "The server could not be reached, so the session there is still open, and the cookie that leads to \
                   it is still in this browser. When you are online again, reload this page and sign out once more.",
        },
    }
}
