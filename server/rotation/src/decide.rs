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
}

/// What the database says about it, read in one transaction.
#[derive(Debug, Clone)]
pub struct Situation<'a> {
    /// The session that the token names, with its owner; `None` if there is no such row (any more).
    pub session: Option<(&'a Session, Owner)>,
    /// When the presented `jti` was blacklisted, if it was.
    pub blacklisted_at: Option<Timestamp>,
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
    /// An older ancestor that was consumed only moments ago: a request that was stuck in the network. No token, no
    /// alarm; the client asks again with what its cookie jar holds now.
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
    if let Some(ending) = ending_of(session, owner, now) {
        return Decision::Ended(ending);
    }

    let leaf = &session.leaf;
    if presented.jti == leaf.jti && presented.generation == leaf.generation {
        return Decision::Rotate(successor_of(session, fresh, now, policy));
    }
    if session.previous_jti == Some(presented.jti) && presented.generation.next() == leaf.generation {
        return if may_replay(session, now, policy) {
            Decision::Replay(leaf.clone())
        } else {
            Decision::Reuse
        };
    }
    match situation.blacklisted_at {
        // The distance, not the age: a clock that was set back must not turn a retry into a theft.
        Some(at) if !policy.reuse_grace.is_zero() && now.distance(at) <= policy.reuse_grace => {
            Decision::Stale
        }
        _ => Decision::Reuse,
    }
}

/// Why a session is over, if it is. What tells people most comes first: a disabled account, because signing in again
/// will not help; then deliberate ends; then an expiry.
pub fn ending_of(session: &Session, owner: Owner, now: Timestamp) -> Option<Ending> {
    if owner.disabled {
        return Some(Ending::UserDisabled);
    }
    if let Some(ended) = session.ended {
        return Some(Ending::Revoked(ended.reason));
    }
    if owner.token_epoch != session.token_epoch {
        return Some(Ending::EpochBehind);
    }
    (session.leaf.expires_at <= now || session.absolute_expires_at <= now).then_some(Ending::Expired)
}

fn may_replay(session: &Session, now: Timestamp, policy: &Policy) -> bool {
    if policy.reuse_grace.is_zero() {
        return false;
    }
    !session.confirmed || now.distance(session.rotated_at) <= policy.reuse_grace
}

fn successor_of(session: &Session, fresh: &Fresh, now: Timestamp, policy: &Policy) -> Successor {
    Successor {
        leaf: Leaf {
            jti: fresh.jti,
            generation: session.leaf.generation.next(),
            issued_at: now.floor_to_secs(),
            expires_at: policy
                .lifetimes
                .refresh_end(now, session.absolute_expires_at, session.remember),
            kid: fresh.kid.clone(),
        },
        rotated_at: now,
    }
}
