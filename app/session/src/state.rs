//! The session as a pure state machine: `(SessionMachine, Event) -> (SessionMachine, Vec<Effect>)`.
//!
//! Nothing here waits, sends or reads a clock. Inputs are [`Event`](crate::event::Event)s, outputs are
//! [`Effect`](crate::event::Effect)s, and the tests cover every transition without a browser.
//!
//! ```text
//!                RestoreRequested               Renewed
//!   Unknown ────────────────────► Refreshing ───────────► SignedIn ◄─────┐ Renewed
//!                                   │      │ Failed          │           │
//!                             Ended │      └────────► Reconnecting ──────┘
//!                                   ▼                        │ ▲ Failed
//!                               Anonymous ◄──────────────────┘ └──── SignedIn
//!                                          Ended, SignOutRequested
//! ```
//!
//! The event `SignedIn` leads from every state to the state `SignedIn`. `SignOutRequested` leads from every state
//! through `SigningOut`, which a page shows as anonymous, to `Anonymous`. A message from another tab leads back to
//! `Refreshing` if the user may have changed: no user is shown until the server has confirmed one.

use std::time::Duration;

use api_types::{auth::User, problem::RevocationReason};

use crate::{AccessToken, SessionView, SignedOutReason};

/// Counts the sign-ins and sign-outs of this page. The outcome of a request from an older epoch must not affect a newer
/// one: a refresh that completes after a sign-out, or a request of the previous user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Epoch(pub(crate) u64);

/// Counts the sign-out requests of this page. Each cancels the sign-ins that were requested before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct SignOutCount(pub(crate) u64);

/// Identifies an access token of this page, without a comparison of the token texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokenId(pub(crate) u64);

/// An access token in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeldToken {
    pub(crate) id: TokenId,
    pub(crate) token: AccessToken,
    pub(crate) expires_at: Duration,
    pub(crate) lifetime: Duration,
    /// The token must not be used: the server answered 401 to it, the same user signed in again in another tab, or it
    /// has expired.
    pub(crate) refused: bool,
    /// When the server last accepted it.
    pub(crate) confirmed_at: Duration,
}

/// The next retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Retry {
    pub(crate) failures: u32,
    pub(crate) at: Duration,
    /// The server named this time with `Retry-After`. Nothing makes the retry earlier.
    pub(crate) fixed: bool,
}

/// The state of the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SessionState {
    /// The page has loaded, and no request was sent yet. `cookie_seen`: the server saw a cookie when it rendered the
    /// page.
    Unknown { cookie_seen: bool },
    /// The silent refresh is under way, after a page load or because the user may have changed.
    Refreshing {
        cookie_seen: bool,
        /// The reason that another tab reported, in case there is no session.
        reported_reason: Option<SignedOutReason>,
    },
    /// A user is signed in; a refresh may be under way while the old token is still used.
    SignedIn {
        user: User,
        held: HeldToken,
        /// Time of the scheduled refresh, which keeps requests from waiting and the session active. One tab refreshes
        /// for all, and so postpones this time in the others.
        refresh_at: Duration,
    },
    /// No one is signed in.
    Anonymous { reason: Option<SignedOutReason> },
    /// The last refresh got no definite response. A token that is still valid stays in use.
    Reconnecting {
        user: Option<User>,
        held: Option<HeldToken>,
        retry: Retry,
    },
    /// Signed out, and not confirmed by the server yet. Until it is confirmed, or a user signs in, nothing is
    /// refreshed.
    SigningOut {
        /// The user signed out in this page since it was loaded, and not in another tab.
        in_this_tab: bool,
        retry: Retry,
        /// An attempt is queued or under way.
        attempt_pending: bool,
        /// At least one attempt failed, as far as this page knows.
        has_failed: bool,
        /// Another tab reported a sign-in during an attempt. When the attempt has completed, the server is asked who is
        /// signed in.
        signed_in_elsewhere: bool,
        /// The token of the signed-out session. It is sent only with the sign-out: if the cookies were cleared, it
        /// alone identifies the session to end.
        bearer: Option<AccessToken>,
    },
}

/// The state and the counters that persist across states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionMachine {
    pub(crate) state: SessionState,
    pub(crate) epoch: Epoch,
    pub(crate) sign_out_count: SignOutCount,
    /// A refresh for this epoch is queued or under way; further requests for one share it.
    refresh_pending: Option<Epoch>,
    /// This page signed in, and no refresh has proved yet that the browser kept the cookie.
    cookie_unconfirmed: bool,
    token_count: u64,
}

impl HeldToken {
    pub(crate) fn is_usable(&self, now: Duration) -> bool {
        !self.refused && now < self.expires_at
    }
}

/// The initial session. A view holds no token, so a view of a signed-in user starts as `Restoring`.
impl From<SessionView> for SessionMachine {
    fn from(initial: SessionView) -> Self {
        let state = match initial {
            SessionView::Unknown => SessionState::Unknown { cookie_seen: false },
            SessionView::Anonymous { reason } => SessionState::Anonymous { reason },
            SessionView::Restoring | SessionView::SignedIn { .. } | SessionView::Reconnecting { .. } => {
                SessionState::Unknown { cookie_seen: true }
            }
        };
        Self {
            state,
            epoch: Epoch::default(),
            sign_out_count: SignOutCount::default(),
            refresh_pending: None,
            cookie_unconfirmed: false,
            token_count: 0,
        }
    }
}

impl SessionMachine {
    /// The session of a page that was loaded while a sign-out is unfinished: no one is signed in, and the sign-out is
    /// finished first.
    pub(crate) fn with_unfinished_sign_out() -> Self {
        Self {
            state: SessionState::SigningOut {
                in_this_tab: false,
                retry: Retry::default(),
                attempt_pending: false,
                has_failed: true,
                signed_in_elsewhere: false,
                bearer: None,
            },
            ..Self::from(SessionView::Unknown)
        }
    }

    /// Whether no one is signed in and there is no token to wait for.
    pub(crate) fn is_signed_out(&self) -> bool {
        matches!(
            self.state,
            SessionState::Anonymous { .. } | SessionState::SigningOut { .. }
        )
    }

    /// The view for pages.
    pub(crate) fn view(&self) -> SessionView {
        match &self.state {
            SessionState::Unknown { cookie_seen: false }
            | SessionState::Refreshing {
                cookie_seen: false, ..
            } => SessionView::Unknown,
            SessionState::Unknown { cookie_seen: true }
            | SessionState::Refreshing {
                cookie_seen: true, ..
            } => SessionView::Restoring,
            SessionState::SignedIn { user, held, .. } => SessionView::SignedIn {
                user: user.clone(),
                expires_at: held.expires_at,
            },
            SessionState::Anonymous { reason } => SessionView::Anonymous { reason: *reason },
            SessionState::Reconnecting { user, .. } => SessionView::Reconnecting { user: user.clone() },
            SessionState::SigningOut { has_failed: true, .. } => SessionView::Anonymous {
                reason: Some(SignedOutReason::SignOutUnfinished),
            },
            SessionState::SigningOut { in_this_tab, .. } => SessionView::Anonymous {
                reason: sign_out_reason(*in_this_tab),
            },
        }
    }

    /// The token, if there is one that may still be valid.
    pub(crate) fn held(&self) -> Option<&HeldToken> {
        match &self.state {
            SessionState::SignedIn { held, .. } => Some(held),
            SessionState::Reconnecting { held, .. } => held.as_ref(),
            _ => None,
        }
    }

    /// The token that is sent with a sign-out.
    pub(crate) fn sign_out_bearer(&self) -> Option<AccessToken> {
        match &self.state {
            SessionState::SigningOut { bearer, .. } => bearer.clone(),
            _ => None,
        }
    }

    /// The token in use, or the token of an earlier unfinished sign-out.
    fn take_bearer(&self) -> Option<AccessToken> {
        let held = self.held().map(|held| held.token.clone());
        held.or_else(|| self.sign_out_bearer())
    }

    /// When the driver's timer should fire. `None` while a refresh is pending, because its outcome sets the next time.
    pub(crate) fn wake_at(&self) -> Option<Duration> {
        match &self.state {
            _ if self.refresh_pending == Some(self.epoch) => None,
            SessionState::SignedIn { refresh_at, .. } => Some(*refresh_at),
            SessionState::Reconnecting { retry, .. } => Some(retry.at),
            SessionState::SigningOut {
                retry,
                attempt_pending,
                ..
            } => (!attempt_pending).then_some(retry.at),
            _ => None,
        }
    }

    /// Whether a refresh is due, even if no request waits for its token.
    pub(crate) fn is_due(&self, now: Duration) -> bool {
        match &self.state {
            SessionState::SignedIn { held, refresh_at, .. } => held.refused || *refresh_at <= now,
            _ => true,
        }
    }

    fn user(&self) -> Option<&User> {
        match &self.state {
            SessionState::SignedIn { user, .. } => Some(user),
            SessionState::Reconnecting { user, .. } => user.as_ref(),
            _ => None,
        }
    }

    fn user_mut(&mut self) -> Option<&mut User> {
        match &mut self.state {
            SessionState::SignedIn { user, .. } => Some(user),
            SessionState::Reconnecting { user, .. } => user.as_mut(),
            _ => None,
        }
    }
}

/// The reason to show after a sign-out. `None` if the user signed out in this page, because that needs no explanation.
fn sign_out_reason(in_this_tab: bool) -> Option<SignedOutReason> {
    (!in_this_tab).then_some(SignedOutReason::Revoked(Some(RevocationReason::Logout)))
}

mod other_tabs;
mod transition;

#[cfg(test)]
mod tests;
