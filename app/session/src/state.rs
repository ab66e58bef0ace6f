//! The session as a pure state machine: `(Session, Event) -> (Session, Vec<Effect>)`.
//!
//! Nothing here waits, sends or reads a clock. Inputs are [`Event`](crate::event::Event)s, outputs are
//! [`Effect`](crate::event::Effect)s, and the tests cover every transition without a browser.
//!
//! ```text
//!                  RestoreAsked                 Renewed
//!   Unknown ────────────────────► Refreshing ───────────► SignedIn ◄─────┐ Renewed
//!                                   │      │ Failed          │           │
//!                             Ended │      └────────► Reconnecting ──────┘
//!                                   ▼                        │ ▲ Failed
//!                               Anonymous ◄──────────────────┘ └──── SignedIn
//!                                          Ended, SignOutAsked
//! ```
//!
//! The event `SignedIn` leads from every state to the state `SignedIn`. `SignOutAsked` leads from every state through
//! `Leaving`, which a page shows as anonymous, to `Anonymous`. A message from another tab leads back to `Refreshing` if
//! the user may have changed: no user is shown until the server has confirmed one.

use std::time::Duration;

use api_types::{auth::User, problem::EndReason};

use crate::{AccessToken, EndedBecause, SessionView};

/// Counts the sign-ins and sign-outs of this page. The outcome of a request from an older epoch must not affect a newer
/// one: a refresh that completes after a sign-out, or a request of the previous user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Epoch(pub(crate) u64);

/// Counts the sign-out requests of this page. Each cancels the sign-ins that were requested before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Departures(pub(crate) u64);

/// Identifies an access token of this page, without a comparison of the token texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokenId(pub(crate) u64);

/// An access token in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) id: TokenId,
    pub(crate) token: AccessToken,
    pub(crate) expires_at: Duration,
    pub(crate) lifetime: Duration,
    /// The token must not be used: the server answered 401 to it, the same user signed in again in another tab, or it
    /// has expired.
    pub(crate) refused: bool,
    /// When the server last accepted it.
    pub(crate) proven_at: Duration,
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
pub(crate) enum State {
    /// The page has loaded, and no request was sent yet. `peeked`: the server saw a cookie when it rendered the page.
    Unknown { peeked: bool },
    /// The silent refresh is under way, after a page load or because the user may have changed.
    Refreshing {
        peeked: bool,
        /// The reason that another tab reported, in case there is no session.
        rumour: Option<EndedBecause>,
    },
    /// A user is signed in; a refresh may be under way while the old token is still used.
    SignedIn {
        user: User,
        held: Held,
        /// Time of the scheduled refresh, which keeps requests from waiting and the session active. One tab refreshes
        /// for all, and so postpones this time in the others.
        refresh_at: Duration,
    },
    /// No one is signed in.
    Anonymous { because: Option<EndedBecause> },
    /// The last refresh got no definite response. A token that is still valid stays in use.
    Reconnecting {
        user: Option<User>,
        held: Option<Held>,
        retry: Retry,
    },
    /// Signed out, and not confirmed by the server yet. Until it is confirmed, or a user signs in, nothing is
    /// refreshed.
    Leaving {
        /// The user signed out in this page since it was loaded, and not in another tab.
        here: bool,
        retry: Retry,
        /// An attempt is queued or under way.
        trying: bool,
        /// At least one attempt failed, as far as this page knows.
        unfinished: bool,
        /// Another tab reported a sign-in during an attempt. When the attempt has completed, the server is asked who is
        /// signed in.
        somebody_came: bool,
        /// The token of the signed-out session. It is sent only with the sign-out: if the cookies were cleared, it
        /// alone identifies the session to end.
        bearer: Option<AccessToken>,
    },
}

/// The state and the counters that persist across states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) state: State,
    pub(crate) epoch: Epoch,
    pub(crate) departures: Departures,
    /// A refresh for this epoch is queued or under way; further requests for one share it.
    refresh_pending: Option<Epoch>,
    /// This page signed in, and no refresh has proved yet that the browser kept the cookie.
    cookie_unproven: bool,
    tokens: u64,
}

impl Held {
    pub(crate) fn is_usable(&self, now: Duration) -> bool {
        !self.refused && now < self.expires_at
    }
}

/// The initial session. A view holds no token, so a view of a signed-in user starts as `Restoring`.
impl From<SessionView> for Session {
    fn from(initial: SessionView) -> Self {
        let state = match initial {
            SessionView::Unknown => State::Unknown { peeked: false },
            SessionView::Anonymous { because } => State::Anonymous { because },
            SessionView::Restoring | SessionView::SignedIn { .. } | SessionView::Reconnecting { .. } => {
                State::Unknown { peeked: true }
            }
        };
        Self {
            state,
            epoch: Epoch::default(),
            departures: Departures::default(),
            refresh_pending: None,
            cookie_unproven: false,
            tokens: 0,
        }
    }
}

impl Session {
    /// The session of a page that was loaded while a sign-out is unfinished: no one is signed in, and the sign-out is
    /// finished first.
    pub(crate) fn unfinished() -> Self {
        Self {
            state: State::Leaving {
                here: false,
                retry: Retry::default(),
                trying: false,
                unfinished: true,
                somebody_came: false,
                bearer: None,
            },
            ..Self::from(SessionView::Unknown)
        }
    }

    /// Whether no one is signed in and there is no token to wait for.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state, State::Anonymous { .. } | State::Leaving { .. })
    }

    /// The view for pages.
    pub(crate) fn view(&self) -> SessionView {
        match &self.state {
            State::Unknown { peeked: false } | State::Refreshing { peeked: false, .. } => {
                SessionView::Unknown
            }
            State::Unknown { peeked: true } | State::Refreshing { peeked: true, .. } => {
                SessionView::Restoring
            }
            State::SignedIn { user, held, .. } => SessionView::SignedIn {
                user: user.clone(),
                expires_at: held.expires_at,
            },
            State::Anonymous { because } => SessionView::Anonymous { because: *because },
            State::Reconnecting { user, .. } => SessionView::Reconnecting { user: user.clone() },
            State::Leaving { unfinished: true, .. } => SessionView::Anonymous {
                because: Some(EndedBecause::SignOutUnfinished),
            },
            State::Leaving { here, .. } => SessionView::Anonymous { because: left(*here) },
        }
    }

    /// The token, if there is one that may still be valid.
    pub(crate) fn held(&self) -> Option<&Held> {
        match &self.state {
            State::SignedIn { held, .. } => Some(held),
            State::Reconnecting { held, .. } => held.as_ref(),
            _ => None,
        }
    }

    /// The token that is sent with a sign-out.
    pub(crate) fn sign_out_bearer(&self) -> Option<AccessToken> {
        match &self.state {
            State::Leaving { bearer, .. } => bearer.clone(),
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
            State::SignedIn { refresh_at, .. } => Some(*refresh_at),
            State::Reconnecting { retry, .. } => Some(retry.at),
            State::Leaving { retry, trying, .. } => (!trying).then_some(retry.at),
            _ => None,
        }
    }

    /// Whether a refresh is due, even if no request waits for its token.
    pub(crate) fn is_due(&self, now: Duration) -> bool {
        match &self.state {
            State::SignedIn { held, refresh_at, .. } => held.refused || *refresh_at <= now,
            _ => true,
        }
    }

    fn user(&self) -> Option<&User> {
        match &self.state {
            State::SignedIn { user, .. } => Some(user),
            State::Reconnecting { user, .. } => user.as_ref(),
            _ => None,
        }
    }

    fn user_mut(&mut self) -> Option<&mut User> {
        match &mut self.state {
            State::SignedIn { user, .. } => Some(user),
            State::Reconnecting { user, .. } => user.as_mut(),
            _ => None,
        }
    }
}

/// The reason to show after a sign-out. `None` if the user signed out in this page, because that needs no explanation.
fn left(here: bool) -> Option<EndedBecause> {
    (!here).then_some(EndedBecause::Revoked(Some(EndReason::Logout)))
}

mod transition;

#[cfg(test)]
mod tests;
