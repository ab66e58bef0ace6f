//! What a page may know about the session. It contains no token.

use api_types::{auth::User, problem::RevocationReason};

/// The session as a page sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SessionView {
    /// Nothing is known yet: the page has loaded, and no refresh has completed.
    #[default]
    Unknown,
    /// The server saw a refresh cookie when it rendered this page, and the silent refresh has not completed yet.
    Restoring,
    /// No one is signed in.
    Anonymous {
        /// The reason, if the session ended without a click on “Sign out” in this tab.
        reason: Option<SignedOutReason>,
    },
    /// An access token is in memory.
    SignedIn {
        /// The signed-in user.
        user: User,
        /// When the access token expires, on the manager's monotonic [`Clock`](crate::Clock).
        expires_at: std::time::Duration,
    },
    /// The session may still be active, but the server is unreachable; the manager retries automatically.
    Reconnecting {
        /// The user before the connection was lost; `None` right after a page load.
        user: Option<User>,
    },
}

/// Why a session ended without a sign-out in this tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedOutReason {
    /// The refresh token was not used before it expired.
    Expired,
    /// The server revoked the session.
    Revoked(Option<RevocationReason>),
    /// A used refresh token was presented again: refresh token reuse (RFC 9700 §4.14).
    Reused,
    /// The account is disabled.
    AccountDisabled,
    /// The server rejected the cookie as invalid, for example after its keys were replaced.
    Invalid,
    /// This tab had just signed in, and no cookie was sent: the browser does not store it.
    CookieNotKept,
    /// The user signed out, here or in another tab, and the server has not confirmed it yet. The access token is out of
    /// use. The manager continues to retry automatically, also after a reload. The remaining cookie signs no one in.
    SignOutUnfinished,
}
