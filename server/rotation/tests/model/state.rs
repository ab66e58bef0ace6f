//! What the model's world consists of, in numbers small enough to be counted through.
//!
//! A token is its number in [`World::tokens`], a session its number in [`World::sessions`]. Only when the real
//! `rotation::decide` is asked do these become ids (`judge.rs`).

use std::collections::{BTreeMap, BTreeSet};

use rotation::{EndReason, Ending};

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
    /// Every refresh token that was ever signed.
    pub tokens: Vec<Token>,
    /// When each blacklisted token was blacklisted.
    pub blacklist: BTreeMap<TokenNo, Moment>,
    /// The tokens whose rows pruning has removed.
    pub pruned: BTreeSet<TokenNo>,
    /// The first use of the newest generation of each session, which the process knows and the row does not yet.
    pub pending: BTreeMap<SessionNo, Use>,
    pub newest_key: u8,
    pub browser: Browser,
    /// The refresh tokens that the thief has seen.
    pub loot: BTreeSet<TokenNo>,
    /// What is under way, in either direction. Sorted, for it has no order.
    pub net: Vec<Exchange>,
    /// Rows as they will be again if the server crashes now: only where a commit comes after its answer.
    pub unsaved: Option<Box<Saved>>,
    /// What a fail-over goes back to: a replica that lags behind, or a backup. `None`: how all began.
    pub replica: Option<Box<Replica>>,
    /// How often each thing may still happen.
    pub budget: Budget,
    /// The properties that were found broken on the way here.
    pub broken: Broken,
}

/// A session's row, and below it what only the observer knows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Row {
    pub epoch: u8,
    pub leaf: TokenNo,
    pub previous: Option<TokenNo>,
    pub rotated_at: Moment,
    pub confirmed_at: Option<Moment>,
    pub absolute_end: Moment,
    pub ended: Option<EndReasonNo>,
    /// The epoch when the password was checked.
    pub born_in: u8,
    /// The logout of this session was answered.
    pub left: bool,
    /// A token that was newer than this row was adopted.
    pub recovered: bool,
}

/// The first use of a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Use {
    pub generation: u8,
    pub at: Moment,
}

/// `EndReason`, in an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EndReasonNo(u8);

/// All that a signed refresh token says, and below it what only the observer knows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Token {
    pub session: SessionNo,
    pub generation: u8,
    pub issued_at: Moment,
    pub expires_at: Moment,
    pub key: u8,
    /// When it was consumed.
    pub consumed_at: Option<Moment>,
    /// What its first successful presentation was answered with.
    pub heir: Option<TokenNo>,
    /// The token that this one was the answer to.
    pub parent: Option<TokenNo>,
}

/// One cookie jar, shared by all tabs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Browser {
    pub jar: Option<TokenNo>,
    /// The newest token of which an access token arrived.
    pub newest: Option<TokenNo>,
    /// The user signed out, and has not signed in since.
    pub signed_out: bool,
    /// The newest session that the user signed in to.
    pub session: SessionNo,
}

/// A request and its answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Exchange {
    pub who: Who,
    pub ask: Ask,
    pub phase: Phase,
    /// The client has gone away; the request has not.
    pub unheard: bool,
    /// This is the one retry after a 409.
    pub retry: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Who {
    Tab(u8),
    Thief,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Ask {
    Refresh(TokenNo),
    /// With the session that the browser's cookie names.
    SignIn(Option<SessionNo>),
    SignOut(SessionNo),
    /// What a token would say, without its signature.
    Forged(TokenNo),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Phase {
    /// On its way to the server, or about to be decided anew after another won the row.
    Sent { lost_rounds: u8 },
    /// The transaction has read and not written yet.
    Loaded(Box<Loaded>),
    /// Committed, and on its way back.
    Answered(Answer),
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
    /// Only for the observer: when the live leaf was first used, as far as this process can know.
    pub used_at: Option<Moment>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Answer {
    /// 200 with a refresh token.
    Granted(TokenNo),
    /// 409.
    Stale,
    /// 401, which clears the cookie.
    Refused(Refusal),
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
pub(crate) enum Refusal {
    /// Not signed by us, or expired: refused before the database is asked.
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

/// A copy of the database, with what the observer knew then.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Replica {
    pub sessions: Vec<Row>,
    pub blacklist: BTreeMap<TokenNo, Moment>,
    pub tokens: Vec<Token>,
}

/// What is rationed, so that the world stays finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ration {
    /// A tab asks for a refresh.
    Refresh,
    SignIn,
    SignOut,
    /// An access token is used.
    Use,
    /// A request or an answer is lost.
    Loss,
    /// A request arrives twice, or an answer.
    Duplicate,
    /// The thief copies the cookie.
    Theft,
    /// The thief presents a token.
    Attack,
    Forgery,
    /// The thief presents a token where the other kind is taken.
    Confusion,
    /// More than the grace passes.
    Minute,
    /// Four days pass: less than the idle lifetime. Twice is more, and thrice is past the absolute end.
    Days,
    /// The clock is set back or forth by an hour.
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
    /// The database goes back to the replica. Everything after it is lost.
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

impl EndReasonNo {
    pub(crate) fn of(reason: EndReason) -> Self {
        let number = EndReason::ALL.iter().position(|&each| each == reason);
        Self(u8::try_from(number.unwrap_or(0)).unwrap_or(0))
    }

    pub(crate) fn reason(self) -> EndReason {
        EndReason::ALL[usize::from(self.0)]
    }
}

impl Refusal {
    pub(crate) fn of(ending: Ending) -> Self {
        match ending {
            Ending::Revoked(EndReason::ReuseDetected) => Self::OverAfterReuse,
            _ => Self::Over,
        }
    }
}

impl Exchange {
    pub(crate) fn new(who: Who, ask: Ask) -> Self {
        Self {
            who,
            ask,
            phase: Phase::Sent { lost_rounds: 0 },
            unheard: false,
            retry: false,
        }
    }

    pub(crate) fn is_honest(&self) -> bool {
        self.who != Who::Thief
    }
}

impl World {
    pub(crate) fn token(&self, number: TokenNo) -> &Token {
        &self.tokens[usize::from(number)]
    }

    pub(crate) fn token_mut(&mut self, number: TokenNo) -> &mut Token {
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

    /// The number that the next token will have.
    pub(crate) fn next_token(&self) -> TokenNo {
        u8::try_from(self.tokens.len()).expect("few tokens")
    }

    /// Whether something of the browser's is under way.
    pub(crate) fn is_browser_busy(&self) -> bool {
        self.net.iter().any(Exchange::is_honest)
    }
}
