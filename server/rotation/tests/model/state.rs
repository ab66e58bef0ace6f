//! The state of the model's world, in numbers small enough to enumerate.
//!
//! A token is its index in [`World::tokens`], a session its index in [`World::sessions`]. They become ids only for
//! calls of the real `rotation::decide` (`judge.rs`).

use std::collections::{BTreeMap, BTreeSet};

use rotation::{RevocationReason, SessionEnd};

use crate::property::Broken;

/// Seconds since the first login, by the server's clock.
pub(crate) type Moment = i64;
/// The number of a refresh token.
pub(crate) type TokenNo = u8;
/// The number of a session.
pub(crate) type SessionNo = u8;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub now: Moment,
    /// The account's epoch, and whether it is disabled.
    pub epoch: u8,
    pub disabled: bool,
    pub sessions: Vec<Row>,
    /// Every refresh token ever signed.
    pub tokens: Vec<ModelToken>,
    /// When each blacklisted token was blacklisted.
    pub blacklist: BTreeMap<TokenNo, Moment>,
    /// The tokens whose blacklist rows were pruned.
    pub pruned: BTreeSet<TokenNo>,
    /// The first use of the newest generation of each session, known to the process but not yet in the row.
    pub pending: BTreeMap<SessionNo, Use>,
    pub newest_key: u8,
    pub browser: ModelBrowser,
    /// The refresh tokens that the attacker has seen.
    pub loot: BTreeSet<TokenNo>,
    /// Exchanges in flight, in either direction. Sorted, because their order has no meaning.
    pub net: Vec<PendingExchange>,
    /// The rows to return to if the server crashes now. Set only where the commit comes after the response.
    pub unsaved: Option<Box<Saved>>,
    /// The state that a failover returns to: a lagging replica, or a backup. `None`: the initial state.
    pub replica: Option<Box<Replica>>,
    /// How often each action may still happen.
    pub budget: Budget,
    /// The violated properties so far.
    pub broken: Broken,
}

/// A session's row, followed by what only the observer knows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Row {
    pub epoch: u8,
    pub live_token: TokenNo,
    pub previous: Option<TokenNo>,
    pub rotated_at: Moment,
    pub confirmed_at: Option<Moment>,
    pub absolute_end: Moment,
    pub ended: Option<ReasonNo>,
    /// The epoch when the password was checked.
    pub born_in: u8,
    /// A response to a logout of this session was sent.
    pub left: bool,
    /// A token newer than this row was adopted.
    pub recovered: bool,
}

/// The first use of a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Use {
    pub generation: u8,
    pub at: Moment,
}

/// `EndReason` as an ordered number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ReasonNo(u8);

/// The content of a signed refresh token, followed by what only the observer knows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ModelToken {
    pub session: SessionNo,
    pub generation: u8,
    pub issued_at: Moment,
    pub expires_at: Moment,
    pub key: u8,
    /// When it was consumed.
    pub consumed_at: Option<Moment>,
    /// The token in the response to its first successful presentation.
    pub successor: Option<TokenNo>,
    /// The token whose presentation produced this one.
    pub parent: Option<TokenNo>,
}

/// One cookie jar, shared by all tabs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ModelBrowser {
    pub jar: Option<TokenNo>,
    /// The newest token whose access token has arrived.
    pub newest: Option<TokenNo>,
    /// The user has signed out and not signed in since.
    pub signed_out: bool,
    /// The newest session that the user signed in to.
    pub session: SessionNo,
}

/// A request and its response.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PendingExchange {
    pub who: ClientKind,
    pub ask: ClientRequest,
    pub phase: RequestPhase,
    /// The client has disconnected; the request continues.
    pub unheard: bool,
    /// This is the one retry after a 409.
    pub retry: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ClientKind {
    Tab(u8),
    Thief,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ClientRequest {
    Refresh(TokenNo),
    /// With the session that the browser's cookie names.
    SignIn(Option<SessionNo>),
    SignOut(SessionNo),
    /// The claims of a token, without its signature.
    Forged(TokenNo),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum RequestPhase {
    /// On its way to the server, or about to be decided again after another request won the row.
    Sent { lost_rounds: u8 },
    /// The transaction has read but not written yet.
    Loaded(Box<Loaded>),
    /// Committed; the response is on its way back.
    Answered(ModelAnswer),
}

/// What a transaction has read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Loaded {
    pub lost_rounds: u8,
    pub now: Moment,
    pub row: Option<Row>,
    pub epoch: u8,
    pub disabled: bool,
    pub blacklisted_at: Option<Moment>,
    pub successor_consumed_at: Option<Moment>,
    /// Only for the observer: when the live token was first used, as far as this process can know.
    pub used_at: Option<Moment>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ModelAnswer {
    /// 200 with a refresh token.
    Granted(TokenNo),
    /// 409.
    Stale,
    /// 401, which clears the cookie.
    Refused(ModelRefusal),
    /// 503.
    Unavailable,
    /// 500, which must not happen.
    Failed,
    /// 200 with the first token of a new session.
    SignedIn(TokenNo),
    /// 204.
    SignedOut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ModelRefusal {
    /// Not signed by this server, or expired: rejected without a database query.
    Invalid,
    Reuse,
    Over,
    OverAfterReuse,
    WrongPassword,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Saved {
    pub sessions: Vec<Row>,
    pub blacklist: BTreeMap<TokenNo, Moment>,
}

/// A copy of the database, with the observer's knowledge at that time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Replica {
    pub sessions: Vec<Row>,
    pub blacklist: BTreeMap<TokenNo, Moment>,
    pub tokens: Vec<ModelToken>,
}

/// Rationed actions, which keep the world finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ration {
    /// A tab requests a refresh.
    Refresh,
    SignIn,
    SignOut,
    /// An access token is used.
    Use,
    /// A request or a response is lost.
    Loss,
    /// A request or a response arrives twice.
    Duplicate,
    /// The attacker copies the cookie.
    Theft,
    /// The attacker presents a token.
    Attack,
    Forgery,
    /// The attacker presents a token where the other kind is accepted.
    Confusion,
    /// More than the grace period passes.
    Minute,
    /// Four days pass: less than the idle lifetime. Two of them exceed it, and three exceed the absolute lifetime.
    Days,
    /// The clock is set back or forward by an hour.
    ClockStep,
    Crash,
    Outage,
    NewKey,
    Prune,
    /// Logout everywhere, or a password change.
    EpochBump,
    Disable,
    /// The session's row is restored from an old copy.
    Restore,
    /// The replica catches up, or a backup is made.
    Replicate,
    /// The database returns to the replica's state. Everything after it is lost.
    FailOver,
}

/// One number for each ration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Budget([u8; 22]);

impl Budget {
    pub(crate) fn of(rations: &[(Ration, u8)]) -> Self {
        let mut budget = Self::default();
        for &(ration, times) in rations {
            budget.0[ration as usize] = times;
        }
        budget
    }

    pub(crate) fn has(&self, ration: Ration) -> bool {
        self.0[ration as usize] > 0
    }

    pub(crate) fn spend(&mut self, ration: Ration) {
        self.0[ration as usize] = self.0[ration as usize].saturating_sub(1);
    }
}

impl ReasonNo {
    pub(crate) fn of(reason: RevocationReason) -> Self {
        let number = RevocationReason::ALL.iter().position(|&each| each == reason);
        Self(u8::try_from(number.unwrap_or(0)).unwrap_or(0))
    }

    pub(crate) fn reason(self) -> RevocationReason {
        RevocationReason::ALL[usize::from(self.0)]
    }
}

impl ModelRefusal {
    pub(crate) fn of(ending: SessionEnd) -> Self {
        match ending {
            SessionEnd::Revoked(RevocationReason::ReuseDetected) => Self::OverAfterReuse,
            _ => Self::Over,
        }
    }
}

impl PendingExchange {
    pub(crate) fn new(who: ClientKind, ask: ClientRequest) -> Self {
        Self {
            who,
            ask,
            phase: RequestPhase::Sent { lost_rounds: 0 },
            unheard: false,
            retry: false,
        }
    }

    pub(crate) fn is_honest(&self) -> bool {
        self.who != ClientKind::Thief
    }
}

impl World {
    pub(crate) fn token(&self, number: TokenNo) -> &ModelToken {
        &self.tokens[usize::from(number)]
    }

    pub(crate) fn token_mut(&mut self, number: TokenNo) -> &mut ModelToken {
        &mut self.tokens[usize::from(number)]
    }

    pub(crate) fn row(&self, session: SessionNo) -> &Row {
        &self.sessions[usize::from(session)]
    }

    pub(crate) fn row_mut(&mut self, session: SessionNo) -> &mut Row {
        &mut self.sessions[usize::from(session)]
    }

    pub(crate) fn row_of(&self, token: TokenNo) -> &Row {
        self.row(self.token(token).session)
    }

    /// The number of the next token.
    pub(crate) fn next_token(&self) -> TokenNo {
        u8::try_from(self.tokens.len()).expect("few tokens")
    }

    /// Whether a request or response of the browser is in flight.
    pub(crate) fn is_browser_busy(&self) -> bool {
        self.net.iter().any(PendingExchange::is_honest)
    }
}
