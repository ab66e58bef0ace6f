//! The decision about one presented refresh token and one session.
//!
//! The caller has already checked the signature, `typ`, `iss`, `aud` and `exp` of the token; unsigned input decides
//! nothing. The store executes the decision in one transaction. Its `UPDATE` repeats the conditions of
//! [`Decision::Rotate`] in the `WHERE` clause, because another request may have won between the read and the write.

use crate::{EndReason, Generation, Jti, KeyId, Leaf, Owner, Policy, Session, SessionId, Timestamp};

/// The claims of a verified refresh token that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presented {
    pub session: SessionId,
    pub jti: Jti,
    pub generation: Generation,
    /// Its `exp`.
    pub expires_at: Timestamp,
}

/// The database state for a presented token, read in one transaction.
#[derive(Debug, Clone)]
pub struct Situation<'a> {
    /// The session that the token names, with its owner; `None` if there is no such row or it was deleted.
    pub session: Option<(&'a Session, Owner)>,
    /// Whether the presented `jti` is on the blacklist. Needed only for a token that is neither the live token nor its
    /// parent.
    pub blacklisted: bool,
    /// When the successor of the presented token was consumed, if it was. Needed only for a blacklisted ancestor.
    pub successor_consumed_at: Option<Timestamp>,
}

/// The parameters of a successor that are not in the row: randomness and the newest key.
#[derive(Debug, Clone)]
pub struct Fresh {
    pub jti: Jti,
    pub kid: KeyId,
}

/// A new live token, and when it replaced the old one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Successor {
    pub leaf: Leaf,
    pub rotated_at: Timestamp,
}

/// What to do with a presented refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is the live token: consume it, and respond with its successor.
    Rotate(Successor),
    /// It is the parent of the live token, and its successor was never used or is only seconds old: a retry, a second
    /// tab, a lost response. Respond with the *same* successor again and write nothing, so that all clients converge,
    /// whatever the order in which responses arrive.
    Replay(Leaf),
    /// It is newer than the row. Only this server signs tokens, so a committed rotation was lost: by a failover to a
    /// lagging replica, or a restored backup. Consume it, blacklist the row's token, and respond with a successor.
    Recover(Successor),
    /// It was replaced only moments ago: its successor was first used (for the parent) or consumed (for an older
    /// ancestor) within the grace period. The request was therefore probably in flight at the same time. Issue no
    /// token, raise no alarm, write nothing. The client retries once with the current content of its cookie jar.
    Stale,
    /// A consumed token that no honest client would still have (RFC 9700 §4.14.2): revoke the session.
    Reuse,
    /// The session has ended.
    Ended(Ending),
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// There is no such session.
    Unknown,
    /// Idle for too long, or older than the absolute lifetime.
    Expired,
    Revoked(EndReason),
    /// Everything issued before the user's current epoch is revoked.
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
        // The idle expiry in the row belongs to a token that a lost rotation replaced. The presented token has a later
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

/// Why a session has ended, if it has. The most informative reason comes first: a disabled account, because signing in
/// again will not help; then revocation; then expiry.
pub fn ending_of(session: &Session, owner: Owner, now: Timestamp) -> Option<Ending> {
    let idle_for_too_long = (session.leaf.expires_at <= now).then_some(Ending::Expired);
    ending_past_idle(session, owner, now).or(idle_for_too_long)
}

/// Like [`ending_of`], without the idle lifetime.
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

/// A grace period of zero is strict: nothing is within it.
fn is_within_grace(then: Timestamp, now: Timestamp, policy: &Policy) -> bool {
    // The distance, not the age: after a clock was set back, a retry must not look like reuse.
    !policy.reuse_grace.is_zero() && now.distance(then) <= policy.reuse_grace
}

/// The token that follows a token of the session.
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
