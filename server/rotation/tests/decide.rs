//! The decision table, and properties of long histories.

use std::time::Duration;

use proptest::prelude::*;
use rotation::{
    AccountState, Decision, Generation, Jti, KeyId, Lifetimes, LiveToken, Policy, Presented, Revocation,
    RevocationReason, Role, Session, SessionEnd, SessionId, SessionSnapshot, SuccessorParams, Timestamp,
    UserId, decide,
};

const DAY: Duration = Duration::from_hours(24);
const MINUTE: Duration = Duration::from_mins(1);
const GRACE: Duration = Duration::from_secs(10);
const MILLI: Duration = Duration::from_millis(1);
const OWNER: AccountState = AccountState {
    token_epoch: 3,
    disabled: false,
    role: Role::User,
};

fn policy(grace: Duration) -> Policy {
    let lifetimes = Lifetimes {
        access: Duration::from_mins(15),
        refresh_idle: 7 * DAY,
        refresh_idle_shared: DAY / 2,
        refresh_absolute: 30 * DAY,
    };
    Policy::new(lifetimes, grace).expect("a sound policy")
}

fn start() -> Timestamp {
    Timestamp::from_millis(1_790_000_000_250)
}

fn jti(number: u32) -> Jti {
    let mut random = [0; 10];
    random[..4].copy_from_slice(&number.to_be_bytes());
    Jti::new(start(), random)
}

fn fresh(number: u32) -> SuccessorParams {
    SuccessorParams {
        jti: jti(number),
        kid: KeyId::new("k"),
    }
}

/// A session in its third generation: `jti(3)` is live, `jti(2)` is its parent, `jti(1)` is older.
fn session() -> Session {
    Session {
        id: SessionId::new(start(), [9; 10]),
        user_id: UserId::new(start(), [8; 10]),
        token_epoch: 3,
        live_token: LiveToken {
            jti: jti(3),
            generation: Generation::new(3),
            issued_at: start().floor_to_secs(),
            expires_at: start().floor_to_secs().saturating_add(7 * DAY),
            kid: KeyId::new("k"),
        },
        previous_jti: Some(jti(2)),
        rotated_at: start(),
        confirmed_at: Some(start()),
        absolute_expires_at: start().floor_to_secs().saturating_add(30 * DAY),
        created_at: start(),
        last_used_at: start(),
        remember: true,
        revocation: None,
    }
}

/// Presents generation `number` of the session, `after` its last rotation.
struct Case {
    session: Session,
    owner: AccountState,
    number: u32,
    after: Duration,
    blacklisted: bool,
    successor_consumed_at: Option<Timestamp>,
    grace: Duration,
    recovers: bool,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            session: session(),
            owner: OWNER,
            number: 3,
            after: Duration::ZERO,
            blacklisted: false,
            successor_consumed_at: None,
            grace: GRACE,
            recovers: true,
        }
    }
}

impl Case {
    fn decide(&self) -> Decision {
        let situation = SessionSnapshot {
            session: Some((&self.session, self.owner)),
            blacklisted: self.blacklisted,
            successor_consumed_at: self.successor_consumed_at,
        };
        let policy = Policy {
            recover_lost_writes: self.recovers,
            ..policy(self.grace)
        };
        let presented = presented(self.session.id, self.number);
        decide(
            &situation,
            presented,
            &fresh(9),
            start().saturating_add(self.after),
            &policy,
        )
    }
}

fn presented(session: SessionId, number: u32) -> Presented {
    Presented {
        session,
        jti: jti(number),
        generation: Generation::new(number),
        expires_at: start().floor_to_secs().saturating_add(7 * DAY),
    }
}

#[test]
fn the_live_leaf_rotates() {
    let Decision::Rotate(successor) = Case {
        after: DAY,
        ..Case::default()
    }
    .decide() else {
        panic!("the live leaf must rotate");
    };
    assert_eq!(successor.token.generation, Generation::new(4));
    assert_eq!(successor.token.jti, jti(9));
    assert_eq!(
        successor.token.issued_at,
        start().saturating_add(DAY).floor_to_secs()
    );
    assert_eq!(
        successor.token.expires_at,
        start()
            .saturating_add(DAY)
            .floor_to_secs()
            .saturating_add(7 * DAY)
    );
    assert_eq!(successor.rotated_at, start().saturating_add(DAY));
}

#[test]
fn the_successor_ends_with_the_session() {
    let mut old = session();
    old.live_token.expires_at = old.absolute_expires_at;
    let Decision::Rotate(successor) = (Case {
        session: old,
        after: 29 * DAY,
        ..Case::default()
    })
    .decide() else {
        panic!("the live leaf must rotate");
    };
    assert_eq!(successor.token.expires_at, session().absolute_expires_at);
}

#[test]
fn on_a_shared_computer_the_successor_is_short() {
    let shared = Session {
        remember: false,
        ..session()
    };
    let Decision::Rotate(successor) = (Case {
        session: shared,
        ..Case::default()
    })
    .decide() else {
        panic!("the live leaf must rotate");
    };
    assert_eq!(
        successor.token.expires_at,
        start().floor_to_secs().saturating_add(DAY / 2)
    );
}

#[test]
fn the_parent_gets_the_same_successor_within_the_grace() {
    for after in [Duration::ZERO, GRACE] {
        assert_eq!(
            Case {
                number: 2,
                after,
                ..Case::default()
            }
            .decide(),
            Decision::Replay(session().live_token)
        );
    }
}

#[test]
fn the_parent_of_an_unused_successor_gets_it_at_any_time() {
    let unconfirmed = Session {
        confirmed_at: None,
        ..session()
    };
    let case = Case {
        session: unconfirmed,
        number: 2,
        after: 3 * DAY,
        ..Case::default()
    };
    assert_eq!(case.decide(), Decision::Replay(session().live_token));
}

#[test]
fn the_parent_is_stale_while_its_successor_is_in_grace() {
    // The successor was first used a minute after the rotation.
    let used_at = start().saturating_add(MINUTE);
    let case = |after| Case {
        session: Session {
            confirmed_at: Some(used_at),
            ..session()
        },
        number: 2,
        after,
        ..Case::default()
    };
    for after in [MINUTE, MINUTE + GRACE] {
        assert_eq!(case(after).decide(), Decision::Stale);
    }
    assert_eq!(case(MINUTE + GRACE + MILLI).decide(), Decision::Reuse);
    // The clock was set back between the use and this request.
    assert_eq!(case(MINUTE.saturating_sub(GRACE)).decide(), Decision::Stale);
}

#[test]
fn the_parent_of_a_used_successor_is_reuse_after_the_grace() {
    let after = GRACE + MILLI;
    assert_eq!(
        Case {
            number: 2,
            after,
            ..Case::default()
        }
        .decide(),
        Decision::Reuse
    );
}

#[test]
fn an_ancestor_is_stale_while_its_successor_is_in_grace() {
    let case = |after, consumed_at| Case {
        number: 1,
        after,
        blacklisted: true,
        successor_consumed_at: consumed_at,
        ..Case::default()
    };
    assert_eq!(case(GRACE, Some(start())).decide(), Decision::Stale);
    assert_eq!(case(GRACE + MILLI, Some(start())).decide(), Decision::Reuse);
    // Unknown, or pruned from the blacklist: it is no more acceptable than before (I13).
    assert_eq!(case(GRACE, None).decide(), Decision::Reuse);
}

#[test]
fn a_token_newer_than_the_row_is_adopted() {
    for number in [4, 8] {
        let case = Case {
            number,
            after: MINUTE,
            ..Case::default()
        };
        let Decision::Recover(successor) = case.decide() else {
            panic!("generation {number} must be adopted");
        };
        let now = start().saturating_add(MINUTE);
        assert_eq!(successor.token.generation, Generation::new(number + 1));
        assert_eq!(successor.token.jti, jti(9));
        assert_eq!(
            successor.token.expires_at,
            now.floor_to_secs().saturating_add(7 * DAY)
        );
        assert_eq!(successor.rotated_at, now);
    }
}

#[test]
fn a_blacklisted_token_newer_than_the_row_is_reuse() {
    let case = Case {
        number: 4,
        blacklisted: true,
        ..Case::default()
    };
    assert_eq!(case.decide(), Decision::Reuse);
}

#[test]
fn without_recovery_a_token_newer_than_the_row_is_reuse() {
    let case = |after| Case {
        number: 4,
        after,
        recovers: false,
        ..Case::default()
    };
    assert_eq!(case(Duration::ZERO).decide(), Decision::Reuse);
    assert_eq!(case(7 * DAY).decide(), Decision::Ended(SessionEnd::Expired));
}

/// A strict policy allows no second use. A lost write is not a second use.
#[test]
fn a_strict_policy_recovers_lost_writes() {
    let case = Case {
        number: 4,
        grace: Duration::ZERO,
        ..Case::default()
    };
    assert!(matches!(case.decide(), Decision::Recover(_)));
}

/// The row of an old backup: its token has expired, and the browser has continued with newer ones.
#[test]
fn the_idle_expiry_of_an_outdated_row_does_not_count() {
    let case = |number, after| Case {
        number,
        after,
        ..Case::default()
    };
    assert!(matches!(case(5, 8 * DAY).decide(), Decision::Recover(_)));
    for number in 1..=3 {
        assert_eq!(
            case(number, 8 * DAY).decide(),
            Decision::Ended(SessionEnd::Expired)
        );
    }
    // The absolute expiry does count (I9).
    assert_eq!(case(5, 30 * DAY).decide(), Decision::Ended(SessionEnd::Expired));
}

#[test]
fn an_adopted_token_does_not_outlive_the_session() {
    let case = Case {
        number: 5,
        after: 29 * DAY,
        ..Case::default()
    };
    let Decision::Recover(successor) = case.decide() else {
        panic!("generation 5 must be adopted");
    };
    assert_eq!(successor.token.expires_at, session().absolute_expires_at);
}

#[test]
fn a_retry_after_a_clock_step_is_not_reuse() {
    let situation_at = |ago: Duration| {
        Timestamp::from_millis(start().millis() + i64::try_from(ago.as_millis()).unwrap_or(0))
    };
    let mut ahead = session();
    ahead.rotated_at = situation_at(Duration::from_secs(5));
    assert_eq!(
        (Case {
            session: ahead,
            number: 2,
            ..Case::default()
        })
        .decide(),
        Decision::Replay(session().live_token)
    );
}

#[test]
fn strict_means_no_replay_and_no_stale() {
    let grace = Duration::ZERO;
    assert_eq!(
        Case {
            number: 2,
            grace,
            ..Case::default()
        }
        .decide(),
        Decision::Reuse
    );
    let unconfirmed = Session {
        confirmed_at: None,
        ..session()
    };
    assert_eq!(
        (Case {
            session: unconfirmed,
            number: 2,
            grace,
            ..Case::default()
        })
        .decide(),
        Decision::Reuse
    );
    assert_eq!(
        Case {
            number: 1,
            grace,
            blacklisted: true,
            successor_consumed_at: Some(start()),
            ..Case::default()
        }
        .decide(),
        Decision::Reuse
    );
}

#[test]
fn a_generation_that_does_not_fit_its_jti_is_reuse() {
    let session = session();
    let situation = SessionSnapshot {
        session: Some((&session, OWNER)),
        blacklisted: false,
        successor_consumed_at: None,
    };
    let presented = Presented {
        generation: Generation::new(2),
        ..presented(session.id, 3)
    };
    assert_eq!(
        decide(&situation, presented, &fresh(4), start(), &policy(GRACE)),
        Decision::Reuse
    );
}

#[test]
fn every_session_end_has_its_reason() {
    for reason in RevocationReason::ALL {
        let ended = Session {
            revocation: Some(Revocation { at: start(), reason }),
            ..session()
        };
        for number in 1..=5 {
            let case = Case {
                session: ended.clone(),
                number,
                ..Case::default()
            };
            assert_eq!(case.decide(), Decision::Ended(SessionEnd::Revoked(reason)));
        }
    }
    let disabled = AccountState {
        disabled: true,
        ..OWNER
    };
    assert_eq!(
        Case {
            owner: disabled,
            ..Case::default()
        }
        .decide(),
        Decision::Ended(SessionEnd::UserDisabled)
    );
    let bumped = AccountState {
        token_epoch: 4,
        ..OWNER
    };
    assert_eq!(
        Case {
            owner: bumped,
            ..Case::default()
        }
        .decide(),
        Decision::Ended(SessionEnd::EpochBehind)
    );
    assert_eq!(
        Case {
            after: 7 * DAY,
            ..Case::default()
        }
        .decide(),
        Decision::Ended(SessionEnd::Expired)
    );

    let nothing = SessionSnapshot {
        session: None,
        blacklisted: false,
        successor_consumed_at: None,
    };
    let decision = decide(
        &nothing,
        presented(session().id, 3),
        &fresh(4),
        start(),
        &policy(GRACE),
    );
    assert_eq!(decision, Decision::Ended(SessionEnd::Unknown));
}

/// Seconds, sometimes days, and occasionally a clock that is set back.
fn step() -> impl Strategy<Value = i64> {
    prop_oneof![8 => 0..30_000i64, 1 => 0..200_000_000i64, 1 => -3_600_000..0i64]
}

proptest! {
    /// Any history of presenting any token of the session at any time: there is one live token, generations grow by
    /// one, nothing older than the parent ever yields a token, and an ended session stays ended.
    #[test]
    fn histories_keep_the_invariants(steps in prop::collection::vec((0u32..8, step(), any::<bool>()), 1..80)) {
        let policy = policy(GRACE);
        let mut row = Session { previous_jti: None, confirmed_at: None, ..session() };
        let mut chain = vec![row.live_token.clone()];
        let mut consumed_at = std::collections::HashMap::new();
        let mut now = start();

        for (back, millis, confirm) in steps {
            now = Timestamp::from_millis(now.millis() + millis);
            if confirm {
                row.confirmed_at.get_or_insert(now);
            }
            let index = chain.len().saturating_sub(1 + back as usize);
            let token = &chain[index];
            let age = chain.len() - 1 - index;
            let presented = Presented {
                session: row.id,
                jti: token.jti,
                generation: token.generation,
                expires_at: token.expires_at,
            };
            let number = 100 + u32::try_from(chain.len()).unwrap_or(0);
            let successor = chain.get(index + 1).and_then(|next| consumed_at.get(&next.jti).copied());
            let situation = SessionSnapshot {
                session: Some((&row, OWNER)),
                blacklisted: consumed_at.contains_key(&token.jti),
                successor_consumed_at: successor,
            };
            let recent = |at: Option<Timestamp>| at.is_some_and(|at| now.distance(at) <= GRACE);
            let replaced_at = if age == 1 { row.confirmed_at } else { successor };
            let replayable = row.confirmed_at.is_none() || recent(Some(row.rotated_at));

            match decide(&situation, presented, &fresh(number), now, &policy) {
                Decision::Rotate(successor) => {
                    prop_assert_eq!(age, 0);
                    prop_assert_eq!(successor.token.generation, row.live_token.generation.next());
                    prop_assert!(successor.token.expires_at <= row.absolute_expires_at);
                    consumed_at.insert(row.live_token.jti, now);
                    row.previous_jti = Some(row.live_token.jti);
                    row.rotated_at = successor.rotated_at;
                    row.confirmed_at = None;
                    row.live_token = successor.token.clone();
                    chain.push(successor.token);
                }
                Decision::Replay(leaf) => {
                    prop_assert_eq!(age, 1);
                    prop_assert!(replayable);
                    prop_assert_eq!(&leaf, &row.live_token);
                }
                Decision::Recover(_) => prop_assert!(false, "no write was lost"),
                Decision::Stale => {
                    prop_assert!(age >= 1);
                    prop_assert!(recent(replaced_at));
                    prop_assert!(age >= 2 || !replayable);
                }
                Decision::Reuse => {
                    prop_assert!(age >= 1);
                    prop_assert!(!recent(replaced_at));
                    prop_assert!(age >= 2 || !replayable);
                    row.revocation = Some(Revocation { at: now, reason: RevocationReason::ReuseDetected });
                }
                Decision::Ended(_) => {
                    prop_assert!(row.revocation.is_some() || row.live_token.expires_at <= now || row.absolute_expires_at <= now);
                }
            }
        }
    }

    /// Any lost tail of any history: the newest token continues. Every other token ends the session, unless it is an
    /// ancestor of what was adopted and within its grace period.
    #[test]
    fn a_lost_tail_is_recovered(kept in 1u32..6, lost in 1u32..6, millis in 0i64..600_000) {
        let now = Timestamp::from_millis(start().millis() + millis);
        let mut row = session();
        row.live_token.jti = jti(kept);
        row.live_token.generation = Generation::new(kept);
        row.previous_jti = (kept > 1).then(|| jti(kept - 1));
        let newest = kept + lost;
        let situation = SessionSnapshot {
            session: Some((&row, OWNER)),
            blacklisted: false,
            successor_consumed_at: None,
        };
        let decision = decide(&situation, presented(row.id, newest), &fresh(100), now, &policy(GRACE));
        let Decision::Recover(successor) = decision else {
            return Err(TestCaseError::fail(format!("{decision:?}")));
        };
        let adopted = Session {
            live_token: successor.token,
            previous_jti: Some(jti(newest)),
            rotated_at: now,
            confirmed_at: None,
            ..row.clone()
        };
        for number in 1..newest {
            let situation = SessionSnapshot {
                session: Some((&adopted, OWNER)),
                blacklisted: number <= kept,
                successor_consumed_at: (number < kept).then_some(start()),
            };
            let decision = decide(&situation, presented(row.id, number), &fresh(101), now, &policy(GRACE));
            let stale = number < kept && now.distance(start()) <= GRACE;
            prop_assert_eq!(decision, if stale { Decision::Stale } else { Decision::Reuse });
        }
        // A second tab with the same token converges.
        let again = SessionSnapshot { session: Some((&adopted, OWNER)), blacklisted: false, successor_consumed_at: None };
        let decision = decide(&again, presented(row.id, newest), &fresh(102), now, &policy(GRACE));
        prop_assert_eq!(decision, Decision::Replay(adopted.live_token.clone()));
    }
}
