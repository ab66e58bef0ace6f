//! The decision about one presented refresh token and one session.
//!
//! The caller has already checked the signature, `typ`, `iss`, `aud` and `exp` of the token; unsigned input decides
//! nothing. The store executes the decision in one transaction. Its `UPDATE` repeats the conditions of
//! [`Decision::Rotate`] in the `WHERE` clause, because another request may have won between the read and the write.

use crate::{
    AccountState, Generation, Jti, KeyId, LiveToken, Policy, RevocationReason, Session, SessionId, Timestamp,
};

/// The claims of a verified refresh token that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presented {
    /// Its `sid`.
    pub session: SessionId,
    /// Its `jti`.
    pub jti: Jti,
    /// Its `gen`.
    pub generation: Generation,
    /// Its `exp`.
    pub expires_at: Timestamp,
}

/// The database state for a presented token, read in one transaction.
#[derive(Debug, Clone)]
pub struct SessionSnapshot<'a> {
    /// The session that the token names, with its owner; `None` if there is no such row or it was deleted.
    pub session: Option<(&'a Session, AccountState)>,
    /// Whether the presented `jti` is on the blacklist. Needed only for a token that is neither the live token nor its
    /// parent.
    pub blacklisted: bool,
    /// When the successor of the presented token was consumed, if it was. Needed only for a blacklisted ancestor.
    pub successor_consumed_at: Option<Timestamp>,
}

/// The parameters of a successor that are not in the row: randomness and the newest key.
#[derive(Debug, Clone)]
pub struct SuccessorParams {
    /// The `jti` of the successor.
    pub jti: Jti,
    /// The newest key, which signs it.
    pub kid: KeyId,
}

/// A new live token, and when it replaced the old one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Successor {
    /// The token.
    pub token: LiveToken,
    /// When it replaced the old one.
    pub rotated_at: Timestamp,
}

/// What to do with a presented refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is the live token: consume it, and respond with its successor.
    Rotate(Successor),
    /// It is the parent of the live token, and its successor was never used, or was issued at most one grace period
    /// ago: a retry, a second tab, a lost response. Respond with the *same* successor again and write nothing, so that
    /// all clients converge, whatever the order in which responses arrive.
    Replay(LiveToken),
    /// It is newer than the row. Only this server signs tokens, so a committed rotation was lost: by a failover to a
    /// lagging replica, or a restored backup. Consume it, blacklist the row's token, and respond with a successor.
    Recover(Successor),
    /// Its successor was first used (if it is the parent) or consumed (if it is an older token) at most one grace
    /// period ago. The request was therefore probably in flight at the same time. Issue no token, raise no alarm, write
    /// nothing. The client retries once with the current content of its cookie jar.
    Stale,
    /// A consumed token that no honest client would still have (RFC 9700 §4.14.2): revoke the session.
    Reuse,
    /// The session has ended.
    Ended(SessionEnd),
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionEnd {
    /// There is no such session.
    Unknown,
    /// Idle for too long, or older than the absolute lifetime.
    Expired,
    /// The owner, an operator or the server revoked it.
    Revoked(RevocationReason),
    /// Everything issued before the user's current epoch is revoked.
    EpochBehind,
    /// The account is disabled.
    UserDisabled,
}

/// Decides. Pure: the same arguments always give the same decision.
pub fn decide(
    snapshot: &SessionSnapshot<'_>,
    presented: Presented,
    params: &SuccessorParams,
    now: Timestamp,
    policy: &Policy,
) -> Decision {
    let Some((session, account)) = snapshot.session else {
        return Decision::Ended(SessionEnd::Unknown);
    };
    let lost_write = policy.recover_lost_writes
        && presented.generation > session.live_token.generation
        && !snapshot.blacklisted;
    let end = if lost_write {
        // The idle expiry in the row belongs to a token that a lost rotation replaced. The presented token has a later
        // one, which was checked with its signature.
        session_end_ignoring_idle(session, account, now)
    } else {
        session_end_of(session, account, now)
    };
    if let Some(end) = end {
        return Decision::Ended(end);
    }

    let live = &session.live_token;
    if presented.jti == live.jti && presented.generation == live.generation {
        return Decision::Rotate(successor_of(session, live.generation, params, now, policy));
    }
    if lost_write {
        return Decision::Recover(successor_of(session, presented.generation, params, now, policy));
    }
    let successor_used_at =
        if session.previous_jti == Some(presented.jti) && presented.generation.next() == live.generation {
            if may_replay(session, now, policy) {
                return Decision::Replay(live.clone());
            }
            session.confirmed_at
        } else {
            snapshot.successor_consumed_at
        };
    if successor_used_at.is_some_and(|at| is_within_grace(at, now, policy)) {
        Decision::Stale
    } else {
        Decision::Reuse
    }
}

/// Why a session has ended, if it has. The most informative reason comes first: a disabled account, because signing in
/// again will not help; then revocation; then expiry.
pub fn session_end_of(session: &Session, account: AccountState, now: Timestamp) -> Option<SessionEnd> {
    let idle_for_too_long = (session.live_token.expires_at <= now).then_some(SessionEnd::Expired);
    session_end_ignoring_idle(session, account, now).or(idle_for_too_long)
}

/// Like [`session_end_of`], without the idle lifetime.
fn session_end_ignoring_idle(session: &Session, account: AccountState, now: Timestamp) -> Option<SessionEnd> {
    if account.disabled {
        return Some(SessionEnd::UserDisabled);
    }
    if let Some(revocation) = session.revocation {
        return Some(SessionEnd::Revoked(revocation.reason));
    }
    if account.token_epoch != session.token_epoch {
        return Some(SessionEnd::EpochBehind);
    }
    (session.absolute_expires_at <= now).then_some(SessionEnd::Expired)
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
    params: &SuccessorParams,
    now: Timestamp,
    policy: &Policy,
) -> Successor {
    Successor {
        token: LiveToken {
            jti: params.jti,
            generation: generation.next(),
            issued_at: now.floor_to_secs(),
            expires_at: policy
                .lifetimes
                .refresh_expiry(now, session.absolute_expires_at, session.remember),
            kid: params.kid.clone(),
        },
        rotated_at: now,
    }
}
