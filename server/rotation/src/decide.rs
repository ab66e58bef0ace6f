//! One presented refresh token against one session: the decision.
//!
//! The signature, `typ`, `iss`, `aud` and `exp` of the presented token were checked before it comes here; unsigned
//! input decides nothing. What is decided here is carried out by the store in one transaction, whose `UPDATE`
//! repeats the conditions of [`Decision::Rotate`] in its `WHERE` clause: between the load and the write another
//! request may have won.

use crate::{EndReason, Generation, Jti, KeyId, Leaf, Owner, Policy, Session, SessionId, Timestamp};

/// What a verified refresh token says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presented {
    pub session: SessionId,
    pub jti: Jti,
    pub generation: Generation,
    /// Its `exp`.
    pub expires_at: Timestamp,
}

/// What the database says about it, read in one transaction.
#[derive(Debug, Clone)]
pub struct Situation<'a> {
    /// The session that the token names, with its owner; `None` if there is no such row (any more).
    pub session: Option<(&'a Session, Owner)>,
    /// Whether the presented `jti` is on the blacklist. Needed only for a token that is neither the live leaf nor its
    /// parent.
    pub blacklisted: bool,
    /// When the successor of the presented token was consumed, if it was. Needed only for a blacklisted ancestor.
    pub successor_consumed_at: Option<Timestamp>,
}

/// What a successor needs that is not in the row: chance and the newest key.
#[derive(Debug, Clone)]
pub struct Fresh {
    pub jti: Jti,
    pub kid: KeyId,
}

/// A new live leaf, and the one that it replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Successor {
    pub leaf: Leaf,
    pub rotated_at: Timestamp,
}

/// What is to be done with a presented refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is the live leaf: consume it, and answer with its successor.
    Rotate(Successor),
    /// It is the live leaf's parent, and its heir was never used or is only seconds old: a retry, a second tab, a
    /// lost answer. Answer with the *same* successor once more and write nothing, so that all converge whatever the
    /// order in which answers arrive.
    Replay(Leaf),
    /// It is newer than the row. Only this server signs tokens, so a committed rotation was lost: a fail-over to a
    /// replica that lagged behind, or a restored backup. Consume it, retire the row's leaf, and answer with its
    /// successor.
    Recover(Successor),
    /// A token that was replaced only moments ago: its successor was first used (the parent) or consumed (an older
    /// ancestor) within the grace, so this request was probably under way at the same time. No token, no alarm, no
    /// write; the client retries once with what its cookie jar holds now.
    Stale,
    /// A consumed token that no honest client would still have (RFC 9700 §4.14.2): end the session.
    Reuse,
    /// The session is over.
    Ended(Ending),
}

/// How a session came to be over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// There is no such session.
    Unknown,
    /// Not used for too long, or older than the absolute lifetime.
    Expired,
    Revoked(EndReason),
    /// Everything that was issued before the user's present epoch is over.
    EpochBehind,
    UserDisabled,
}

/// Decides. Pure: the same arguments always give the same decision.
pub fn decide(
    situation: &Situation<'_>,
    presented: Presented,
    fresh: &Fresh,
    now: Timestamp,
    policy: &Policy,
) -> Decision {
    let Some((session, owner)) = situation.session else {
        return Decision::Ended(Ending::Unknown);
    };
    let lost_write = policy.recover_lost_writes
        && presented.generation > session.leaf.generation
        && !situation.blacklisted;
    let ending = if lost_write {
        // The idle expiry in the row belongs to a leaf that a lost rotation replaced. The presented token has a later
        // one, which was checked with its signature.
        ending_past_idle(session, owner, now)
    } else {
        ending_of(session, owner, now)
    };
    if let Some(ending) = ending {
        return Decision::Ended(ending);
    }

    let leaf = &session.leaf;
    if presented.jti == leaf.jti && presented.generation == leaf.generation {
        return Decision::Rotate(successor_of(session, leaf.generation, fresh, now, policy));
    }
    if lost_write {
        return Decision::Recover(successor_of(session, presented.generation, fresh, now, policy));
    }
    let replaced_at =
        if session.previous_jti == Some(presented.jti) && presented.generation.next() == leaf.generation {
            if may_replay(session, now, policy) {
                return Decision::Replay(leaf.clone());
            }
            session.confirmed_at
        } else {
            situation.successor_consumed_at
        };
    if replaced_at.is_some_and(|at| is_within_grace(at, now, policy)) {
        Decision::Stale
    } else {
        Decision::Reuse
    }
}

/// Why a session is over, if it is. What tells people most comes first: a disabled account, because signing in again
/// will not help; then deliberate ends; then an expiry.
pub fn ending_of(session: &Session, owner: Owner, now: Timestamp) -> Option<Ending> {
    let idle_for_too_long = (session.leaf.expires_at <= now).then_some(Ending::Expired);
    ending_past_idle(session, owner, now).or(idle_for_too_long)
}

/// The same without the idle lifetime.
fn ending_past_idle(session: &Session, owner: Owner, now: Timestamp) -> Option<Ending> {
    if owner.disabled {
        return Some(Ending::UserDisabled);
    }
    if let Some(ended) = session.ended {
        return Some(Ending::Revoked(ended.reason));
    }
    if owner.token_epoch != session.token_epoch {
        return Some(Ending::EpochBehind);
    }
    (session.absolute_expires_at <= now).then_some(Ending::Expired)
}

fn may_replay(session: &Session, now: Timestamp, policy: &Policy) -> bool {
    let is_unused = session.confirmed_at.is_none() && !policy.reuse_grace.is_zero();
    is_unused || is_within_grace(session.rotated_at, now, policy)
}

/// A grace of zero is strict: then nothing is within it.
fn is_within_grace(then: Timestamp, now: Timestamp, policy: &Policy) -> bool {
    // The distance, not the age: a clock that was set back must not turn a retry into a theft.
    !policy.reuse_grace.is_zero() && now.distance(then) <= policy.reuse_grace
}

/// The leaf that follows a token of the session.
fn successor_of(
    session: &Session,
    generation: Generation,
    fresh: &Fresh,
    now: Timestamp,
    policy: &Policy,
) -> Successor {
    Successor {
        leaf: Leaf {
            jti: fresh.jti,
            generation: generation.next(),
            issued_at: now.floor_to_secs(),
            expires_at: policy
                .lifetimes
                .refresh_end(now, session.absolute_expires_at, session.remember),
            kid: fresh.kid.clone(),
        },
        rotated_at: now,
    }
}
