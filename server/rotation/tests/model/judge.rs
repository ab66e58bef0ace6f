//! The only place where the model calls the real `rotation::decide`.

use rotation::{
    AccountState, Decision, Generation, Jti, KeyId, LiveToken, Policy, Presented, Revocation, Role, Session,
    SessionEnd, SessionId, SessionSnapshot, SuccessorParams, Timestamp, UserId, decide,
};
use uuid::Uuid;

use crate::{
    guard::{Guard, Missing},
    state::{Loaded, ModelToken, Moment, Row, SessionNo, TokenNo, World},
};

/// The defaults, except for an absolute lifetime that few steps reach.
pub(crate) fn policy() -> Policy {
    let mut policy = Policy::KEYTURN;
    policy.lifetimes.refresh_absolute = std::time::Duration::from_hours(10 * 24);
    policy
}

/// The grace period in seconds.
pub(crate) fn grace() -> u64 {
    policy().reuse_grace.as_secs()
}

/// Decides about a token, based on what a transaction has read.
pub(crate) fn judge(missing: Missing, world: &World, token: TokenNo, loaded: &Loaded) -> Decision {
    let presented = world.token(token);
    let Some(row) = &loaded.row else {
        return decide(
            &SessionSnapshot {
                session: None,
                blacklisted: false,
                successor_consumed_at: None,
            },
            presented_as(token, presented),
            &fresh(world),
            timestamp(loaded.now),
            &policy(),
        );
    };

    let mut session = session_of(world, presented.session, row);
    let mut owner = AccountState {
        token_epoch: u32::from(loaded.epoch),
        disabled: loaded.disabled,
        role: Role::User,
    };
    let mut blacklisted = loaded.blacklisted_at.is_some();
    let mut successor_consumed_at = loaded.successor_consumed_at.map(timestamp);
    let now = timestamp(loaded.now);
    let far = Timestamp::from_millis(i64::MAX);

    if missing.has(Guard::SeesEnd) {
        session.revocation = None;
    }
    if missing.has(Guard::SeesEpoch) {
        owner.token_epoch = session.token_epoch;
    }
    if missing.has(Guard::SeesDisabled) {
        owner.disabled = false;
    }
    if missing.has(Guard::SeesExpiry) {
        session.live_token.expires_at = far;
    }
    if missing.has(Guard::SeesAbsoluteEnd) {
        session.absolute_expires_at = far;
    }
    if missing.has(Guard::SeesBlacklist) {
        blacklisted = false;
        successor_consumed_at = None;
    }
    if missing.has(Guard::CountsFromTheSuccessor) {
        successor_consumed_at = loaded.blacklisted_at.map(timestamp);
    }
    if missing.has(Guard::RecoverySeesBlacklist) {
        blacklisted = false;
    }
    if missing.has(Guard::SeesConfirmation) {
        session.confirmed_at = None;
    }
    if missing.has(Guard::ForgivesTheUnconfirmed) {
        session.confirmed_at = Some(timestamp(-1_000_000));
    }
    if missing.has(Guard::MeasuresDistance) {
        // Simulates a difference that cannot be negative.
        session.rotated_at = session.rotated_at.max(now);
    }
    let policy = Policy {
        recover_lost_writes: !missing.has(Guard::RecoversLostWrites),
        ..policy()
    };

    let situation = SessionSnapshot {
        session: Some((&session, owner)),
        blacklisted,
        successor_consumed_at,
    };
    let decision = decide(
        &situation,
        presented_as(token, presented),
        &fresh(world),
        now,
        &policy,
    );
    let is_ancestor = row.live_token != token && row.previous != Some(token);
    match decision {
        Decision::Replay(_) if missing.has(Guard::ParentIsForgiven) => Decision::Reuse,
        // The signed token is the one in the row.
        Decision::Replay(live_token) if missing.has(Guard::SeesExpiry) => Decision::Replay(LiveToken {
            expires_at: timestamp(world.token(row.live_token).expires_at),
            ..live_token
        }),
        Decision::Replay(live_token) if missing.has(Guard::ReplayIsTheSameToken) => {
            Decision::Replay(LiveToken {
                jti: jti(world.next_token()),
                ..live_token
            })
        }
        Decision::Replay(live_token) if missing.has(Guard::ReplayKeepsItsKey) => {
            Decision::Replay(LiveToken {
                kid: key(world.newest_key),
                ..live_token
            })
        }
        Decision::Stale if missing.has(Guard::ParentMayBeStale) && !is_ancestor => Decision::Reuse,
        Decision::Recover(_)
            if missing.has(Guard::RecoveryOutlivesTheIdleEnd)
                && world.token(row.live_token).expires_at <= loaded.now =>
        {
            Decision::Ended(SessionEnd::Expired)
        }
        Decision::Stale if missing.has(Guard::StaleGivesNothing) => Decision::Replay(session.live_token),
        Decision::Reuse if missing.has(Guard::ReuseGivesNothing) => Decision::Replay(session.live_token),
        Decision::Reuse
            if missing.has(Guard::RowDecides) && is_ancestor && loaded.blacklisted_at.is_none() =>
        {
            Decision::Replay(session.live_token)
        }
        decision => decision,
    }
}

/// The result of signing this token: an existing token if every byte is the same, otherwise a new one.
pub(crate) fn sign(
    world: &mut World,
    session: SessionNo,
    live_token: &LiveToken,
    parent: TokenNo,
) -> TokenNo {
    let signed = ModelToken {
        session,
        generation: u8::try_from(live_token.generation.number()).unwrap_or(u8::MAX),
        issued_at: moment(live_token.issued_at),
        expires_at: moment(live_token.expires_at),
        key: key_number(&live_token.kid),
        consumed_at: None,
        successor: None,
        parent: Some(parent),
    };
    let number = u8::try_from(live_token.jti.uuid().as_u128()).unwrap_or(u8::MAX);
    if let Some(token) = world.tokens.get(usize::from(number)) {
        let same = ModelToken {
            consumed_at: token.consumed_at,
            successor: token.successor,
            parent: token.parent,
            ..signed.clone()
        };
        if *token == same {
            return number;
        }
    }
    world.tokens.push(signed);
    world.next_token() - 1
}

pub(crate) fn timestamp(moment: Moment) -> Timestamp {
    Timestamp::from_secs(START + moment)
}

pub(crate) fn moment(timestamp: Timestamp) -> Moment {
    timestamp.secs() - START
}

/// Far enough from zero that no clock step reaches it.
const START: i64 = 1_790_000_000;

pub(crate) fn session_of(world: &World, number: SessionNo, row: &Row) -> Session {
    let live_token = world.token(row.live_token);
    Session {
        id: SessionId::from_uuid(Uuid::from_u128(u128::from(number))),
        user_id: UserId::from_uuid(Uuid::nil()),
        token_epoch: u32::from(row.epoch),
        live_token: LiveToken {
            jti: jti(row.live_token),
            generation: Generation::new(u32::from(live_token.generation)),
            issued_at: timestamp(live_token.issued_at),
            expires_at: timestamp(live_token.expires_at),
            kid: key(live_token.key),
        },
        previous_jti: row.previous.map(jti),
        rotated_at: timestamp(row.rotated_at),
        confirmed_at: row.confirmed_at.map(timestamp),
        absolute_expires_at: timestamp(row.absolute_end),
        created_at: timestamp(0),
        last_used_at: timestamp(row.rotated_at),
        remember: true,
        revocation: row.ended.map(|reason| Revocation {
            at: timestamp(0),
            reason: reason.reason(),
        }),
    }
}

fn presented_as(number: TokenNo, token: &ModelToken) -> Presented {
    Presented {
        session: SessionId::from_uuid(Uuid::from_u128(u128::from(token.session))),
        jti: jti(number),
        generation: Generation::new(u32::from(token.generation)),
        expires_at: timestamp(token.expires_at),
    }
}

fn fresh(world: &World) -> SuccessorParams {
    SuccessorParams {
        jti: jti(world.next_token()),
        kid: key(world.newest_key),
    }
}

pub(crate) fn jti(number: TokenNo) -> Jti {
    Jti::from_uuid(Uuid::from_u128(u128::from(number)))
}

fn key(number: u8) -> KeyId {
    KeyId::new(char::from(b'a' + number))
}

fn key_number(kid: &KeyId) -> u8 {
    kid.as_str().bytes().next().unwrap_or(b'a') - b'a'
}
