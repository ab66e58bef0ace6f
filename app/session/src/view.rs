//! What a page may know about the session. It holds no token.

use api_types::{auth::User, problem::EndReason};

/// The session as a page sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SessionView {
    /// Nothing is known yet: the page loaded, and no refresh has answered.
    #[default]
    Unknown,
    /// The server saw a refresh cookie when it rendered this page, and the silent refresh has not answered yet.
    Restoring,
    /// Nobody is signed in.
    Anonymous {
        /// Why, when a session ended by itself rather than by a click on “Sign out” in this tab.
        because: Option<EndedBecause>,
    },
    /// An access token is in memory.
    SignedIn {
        /// Who.
        user: User,
        /// When the access token ends, on the manager's monotonic [`Clock`](crate::Clock).
        expires_at: std::time::Duration,
    },
    /// The session is there, the server cannot be reached; the manager tries again by itself.
    Reconnecting {
        /// Who was signed in before the connection went; `None` right after a page load.
        user: Option<User>,
    },
}

/// Why a session ended without being asked to in this tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBecause {
    /// The refresh token was not used for too long.
    Expired,
    /// The server ended the session.
    Revoked(Option<EndReason>),
    /// A used refresh token was presented again (RFC 9700 §4.14).
    Reused,
    /// The account is disabled.
    AccountDisabled,
    /// The cookie was refused as invalid, for instance after the server's keys were replaced.
    Invalid,
    /// This tab had just signed in, and yet no cookie came back: the browser does not keep it.
    CookieNotKept,
    /// The person signed out, here or in another tab, and the server could not be told yet. Nothing is in memory, and
    /// the manager goes on trying by itself, also after a reload: nobody is signed in again by the cookie that is left.
    SignOutUnfinished,
}
