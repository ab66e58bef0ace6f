//! The session as a pure state machine: `(Session, Event) -> (Session, Vec<Effect>)`.
//!
//! Nothing here waits, sends or looks at a clock. What is to be done comes out as [`Effect`]s, what was learnt comes in
//! as [`Event`]s, and the tests walk every transition without a browser.
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
//! `SignedIn` (the event) leads from every state to `SignedIn`, `SignOutAsked` from every state to `Anonymous`.

use std::time::Duration;

use api_types::auth::User;

use crate::{AccessToken, EndedBecause, SessionView};

/// Counts sign-ins and sign-outs of this page. What was begun under an older epoch may not touch a newer one: a
/// refresh that answers after a sign-out, a request of the previous user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Epoch(pub(crate) u64);

/// Tells the access tokens of this page apart without comparing their texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokenId(pub(crate) u64);

/// An access token in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) id: TokenId,
    pub(crate) token: AccessToken,
    pub(crate) expires_at: Duration,
    /// The server answered 401 to it. Then it is spent, whatever our clock says.
    pub(crate) refused: bool,
}

/// Where the session stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// The page loaded and nothing was asked yet. `peeked`: the server saw a cookie when it rendered the page.
    Unknown { peeked: bool },
    /// The silent refresh after a page load is under way.
    Refreshing { peeked: bool },
    /// Somebody is signed in; a refresh may be under way while the old token still serves.
    SignedIn {
        user: User,
        held: Held,
        refresh_at: Duration,
    },
    /// Nobody is signed in.
    Anonymous { because: Option<EndedBecause> },
    /// The last refresh got no definite answer. A token that is still good goes on being used.
    Reconnecting {
        user: Option<User>,
        held: Option<Held>,
        failures: u32,
        retry_at: Duration,
    },
}

/// The state, and what is counted across states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) state: State,
    pub(crate) epoch: Epoch,
    /// A refresh is in the queue or under way: whoever wants one shares it.
    refresh_pending: bool,
    /// This page signed in, and no refresh has shown yet that the browser kept the cookie.
    cookie_unproven: bool,
    tokens: u64,
}

impl Held {
    pub(crate) fn is_usable(&self, now: Duration) -> bool {
        !self.refused && now < self.expires_at
    }
}

/// A session that was not asked for yet. A view holds no token, so from a view alone nobody is signed in: such a
/// view starts as `Restoring`.
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
            refresh_pending: false,
            cookie_unproven: false,
            tokens: 0,
        }
    }
}

impl Session {
    /// What a page may see of it.
    pub(crate) fn view(&self) -> SessionView {
        match &self.state {
            State::Unknown { peeked: false } | State::Refreshing { peeked: false } => SessionView::Unknown,
            State::Unknown { peeked: true } | State::Refreshing { peeked: true } => SessionView::Restoring,
            State::SignedIn { user, held, .. } => SessionView::SignedIn {
                user: user.clone(),
                expires_at: held.expires_at,
            },
            State::Anonymous { because } => SessionView::Anonymous { because: *because },
            State::Reconnecting { user, .. } => SessionView::Reconnecting { user: user.clone() },
        }
    }

    /// The token, if there is one that may still be good.
    pub(crate) fn held(&self) -> Option<&Held> {
        match &self.state {
            State::SignedIn { held, .. } => Some(held),
            State::Reconnecting { held, .. } => held.as_ref(),
            _ => None,
        }
    }

    /// When the driver should wake up by itself. While a refresh is pending its outcome will set the next time.
    pub(crate) fn wake_at(&self) -> Option<Duration> {
        match &self.state {
            _ if self.refresh_pending => None,
            State::SignedIn { refresh_at, .. } => Some(*refresh_at),
            State::Reconnecting { retry_at, .. } => Some(*retry_at),
            _ => None,
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

mod transition;

#[cfg(test)]
mod tests;
