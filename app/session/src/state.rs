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
//! `SignedIn` (the event) leads from every state to `SignedIn`, `SignOutAsked` from every state through `Leaving`, which a
//! page shows as anonymous, to `Anonymous`. What other tabs tell leads back to `Refreshing`, if it may
//! change who is signed in: nobody is shown until the server has said who it is now.

use std::time::Duration;

use api_types::{auth::User, problem::EndReason};

use crate::{AccessToken, EndedBecause, SessionView};

/// Counts sign-ins and sign-outs of this page. What was begun under an older epoch may not touch a newer one: a
/// refresh that answers after a sign-out, a request of the previous user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Epoch(pub(crate) u64);

/// Counts the sign-outs that were asked for in this page. Each overtakes the sign-ins that were asked for before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Departures(pub(crate) u64);

/// Tells the access tokens of this page apart without comparing their texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokenId(pub(crate) u64);

/// An access token in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) id: TokenId,
    pub(crate) token: AccessToken,
    pub(crate) expires_at: Duration,
    pub(crate) lifetime: Duration,
    /// The server answered 401 to it, another tab signed in anew, or it was found to have ended. Then it is spent.
    pub(crate) refused: bool,
    /// When the server was last known to accept it.
    pub(crate) proven_at: Duration,
}

/// When to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Retry {
    pub(crate) failures: u32,
    pub(crate) at: Duration,
    /// The server named this moment. Nothing makes us come earlier.
    pub(crate) fixed: bool,
}

/// Where the session stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// The page loaded and nothing was asked yet. `peeked`: the server saw a cookie when it rendered the page.
    Unknown { peeked: bool },
    /// The silent refresh after a page load is under way, or after something that made us doubt who is signed in.
    Refreshing {
        peeked: bool,
        /// What another tab said, if it turns out that there is no session.
        rumour: Option<EndedBecause>,
    },
    /// Somebody is signed in; a refresh may be under way while the old token still serves.
    SignedIn {
        user: User,
        held: Held,
        /// When to refresh although nobody asks: so that requests need not wait, and so that the session lives on. One tab
        /// does it for all, and moves this moment in the others.
        refresh_at: Duration,
    },
    /// Nobody is signed in.
    Anonymous { because: Option<EndedBecause> },
    /// The last refresh got no definite answer. A token that is still good goes on being used.
    Reconnecting {
        user: Option<User>,
        held: Option<Held>,
        retry: Retry,
    },
    /// Signed out, and the server has not confirmed it yet. Until it has, or somebody signs in, nothing is refreshed.
    Leaving {
        /// The click was in this page and not in another tab, or before a reload.
        here: bool,
        retry: Retry,
        /// An attempt is in the queue or under way.
        trying: bool,
        /// At least one attempt failed, as far as this page knows.
        unfinished: bool,
        /// Another tab told of a sign-in during an attempt. Once this is settled, the server is asked who is there.
        somebody_came: bool,
        /// The token of the session that was signed out of. It goes along with the sign-out and with nothing else: where
        /// cookies were cleared, it alone says which session to end.
        bearer: Option<AccessToken>,
    },
}

/// The state, and what is counted across states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) state: State,
    pub(crate) epoch: Epoch,
    pub(crate) departures: Departures,
    /// A refresh for this epoch is in the queue or under way: whoever wants one shares it.
    refresh_pending: Option<Epoch>,
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
            departures: Departures::default(),
            refresh_pending: None,
            cookie_unproven: false,
            tokens: 0,
        }
    }
}

impl Session {
    /// A page that was loaded while a sign-out is unfinished: nobody is signed in, and the first thing to do is to
    /// finish it.
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

    /// Whether there is nobody, and no token to wait for.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state, State::Anonymous { .. } | State::Leaving { .. })
    }

    /// What a page may see of it.
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

    /// The token, if there is one that may still be good.
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

    /// The token in use, or the one of an earlier sign-out that is not finished.
    fn take_bearer(&self) -> Option<AccessToken> {
        let held = self.held().map(|held| held.token.clone());
        held.or_else(|| self.sign_out_bearer())
    }

    /// When the driver should wake up by itself. While a refresh is pending its outcome will set the next time.
    pub(crate) fn wake_at(&self) -> Option<Duration> {
        match &self.state {
            _ if self.refresh_pending == Some(self.epoch) => None,
            State::SignedIn { refresh_at, .. } => Some(*refresh_at),
            State::Reconnecting { retry, .. } => Some(retry.at),
            State::Leaving { retry, trying, .. } => (!trying).then_some(retry.at),
            _ => None,
        }
    }

    /// Whether a refresh is called for, even if no request waits for its token.
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

/// Why nobody is signed in after a sign-out. Whoever clicked knows.
fn left(here: bool) -> Option<EndedBecause> {
    (!here).then_some(EndedBecause::Revoked(Some(EndReason::Logout)))
}

mod transition;

#[cfg(test)]
mod tests;
