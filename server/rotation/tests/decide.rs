//! The table of decisions, and properties of long histories.

use std::time::Duration;

use proptest::prelude::*;
use rotation::{
    Decision, EndReason, Ended, Ending, Fresh, Generation, Jti, KeyId, Leaf, Lifetimes, Owner, Policy,
    Presented, Role, Session, SessionId, Situation, Timestamp, UserId, decide,
};

const DAY: Duration = Duration::from_hours(24);
const GRACE: Duration = Duration::from_secs(10);
const OWNER: Owner = Owner {
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

fn fresh(number: u32) -> Fresh {
    Fresh {
        jti: jti(number),
        kid: KeyId::new("k"),
    }
}

/// A session in its third generation: `jti(3)` is live, `jti(2)` its parent, `jti(1)` older.
fn session() -> Session {
    Session {
        id: SessionId::new(start(), [9; 10]),
        user_id: UserId::new(start(), [8; 10]),
        token_epoch: 3,
        leaf: Leaf {
            jti: jti(3),
            generation: Generation::new(3),
            issued_at: start().floor_to_secs(),
            expires_at: start().floor_to_secs().plus(7 * DAY),
            kid: KeyId::new("k"),
        },
        previous_jti: Some(jti(2)),
        rotated_at: start(),
        confirmed: true,
        absolute_expires_at: start().floor_to_secs().plus(30 * DAY),
        created_at: start(),
        last_used_at: start(),
        remember: true,
        ended: None,
    }
}

/// Presents generation `number` of the session, `after` its last rotation.
struct Case {
    session: Session,
    owner: Owner,
    number: u32,
    after: Duration,
    blacklisted_at: Option<Timestamp>,
    grace: Duration,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            session: session(),
            owner: OWNER,
            number: 3,
            after: Duration::ZERO,
            blacklisted_at: None,
            grace: GRACE,
        }
    }
}

impl Case {
    fn decide(&self) -> Decision {
        let situation = Situation {
            session: Some((&self.session, self.owner)),
            blacklisted_at: self.blacklisted_at,
        };
        let presented = Presented {
            session: self.session.id,
            jti: jti(self.number),
            generation: Generation::new(self.number),
        };
        decide(
            &situation,
            presented,
            &fresh(4),
            start().plus(self.after),
            &policy(self.grace),
        )
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
    assert_eq!(successor.leaf.generation, Generation::new(4));
    assert_eq!(successor.leaf.jti, jti(4));
    assert_eq!(successor.leaf.issued_at, start().plus(DAY).floor_to_secs());
    assert_eq!(
        successor.leaf.expires_at,
        start().plus(DAY).floor_to_secs().plus(7 * DAY)
    );
    assert_eq!(successor.rotated_at, start().plus(DAY));
}

#[test]
fn the_successor_ends_with_the_session() {
    let mut old = session();
    old.leaf.expires_at = old.absolute_expires_at;
    let Decision::Rotate(successor) = (Case {
        session: old,
        after: 29 * DAY,
        ..Case::default()
    })
    .decide() else {
        panic!("the live leaf must rotate");
    };
    assert_eq!(successor.leaf.expires_at, session().absolute_expires_at);
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
    assert_eq!(successor.leaf.expires_at, start().floor_to_secs().plus(DAY / 2));
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
            Decision::Replay(session().leaf)
        );
    }
}

#[test]
fn the_parent_of_an_unused_successor_gets_it_at_any_time() {
    let unconfirmed = Session {
        confirmed: false,
        ..session()
    };
    let case = Case {
        session: unconfirmed,
        number: 2,
        after: 3 * DAY,
        ..Case::default()
    };
    assert_eq!(case.decide(), Decision::Replay(session().leaf));
}

#[test]
fn the_parent_of_a_used_successor_is_reuse_after_the_grace() {
    let after = GRACE + Duration::from_millis(1);
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
fn an_older_token_is_stale_for_a_moment_and_reuse_ever_after() {
    let blacklisted_at = Some(start());
    assert_eq!(
        Case {
            number: 1,
            after: GRACE,
            blacklisted_at,
            ..Case::default()
        }
        .decide(),
        Decision::Stale
    );
    let after = GRACE + Duration::from_millis(1);
    assert_eq!(
        Case {
            number: 1,
            after,
            blacklisted_at,
            ..Case::default()
        }
        .decide(),
        Decision::Reuse
    );
    // Pruned from the blacklist, it is no more acceptable than before (I13).
    assert_eq!(
        Case {
            number: 1,
            ..Case::default()
        }
        .decide(),
        Decision::Reuse
    );
}

#[test]
fn a_clock_set_back_turns_no_retry_into_a_theft() {
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
        Decision::Replay(session().leaf)
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
        confirmed: false,
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
    let blacklisted_at = Some(start());
    assert_eq!(
        Case {
            number: 1,
            grace,
            blacklisted_at,
            ..Case::default()
        }
        .decide(),
        Decision::Reuse
    );
}

#[test]
fn a_generation_that_does_not_fit_its_jti_is_reuse() {
    let session = session();
    let situation = Situation {
        session: Some((&session, OWNER)),
        blacklisted_at: None,
    };
    let presented = Presented {
        session: session.id,
        jti: jti(3),
        generation: Generation::new(2),
    };
    assert_eq!(
        decide(&situation, presented, &fresh(4), start(), &policy(GRACE)),
        Decision::Reuse
    );
}

#[test]
fn every_way_to_be_over_is_named() {
    for reason in EndReason::ALL {
        let ended = Session {
            ended: Some(Ended { at: start(), reason }),
            ..session()
        };
        for number in 1..=3 {
            let case = Case {
                session: ended.clone(),
                number,
                ..Case::default()
            };
            assert_eq!(case.decide(), Decision::Ended(Ending::Revoked(reason)));
        }
    }
    let disabled = Owner {
        disabled: true,
        ..OWNER
    };
    assert_eq!(
        Case {
            owner: disabled,
            ..Case::default()
        }
        .decide(),
        Decision::Ended(Ending::UserDisabled)
    );
    let bumped = Owner {
        token_epoch: 4,
        ..OWNER
    };
    assert_eq!(
        Case {
            owner: bumped,
            ..Case::default()
        }
        .decide(),
        Decision::Ended(Ending::EpochBehind)
    );
    assert_eq!(
        Case {
            after: 7 * DAY,
            ..Case::default()
        }
        .decide(),
        Decision::Ended(Ending::Expired)
    );

    let presented = Presented {
        session: session().id,
        jti: jti(3),
        generation: Generation::new(3),
    };
    let nothing = Situation {
        session: None,
        blacklisted_at: None,
    };
    let decision = decide(&nothing, presented, &fresh(4), start(), &policy(GRACE));
    assert_eq!(decision, Decision::Ended(Ending::Unknown));
}

/// Seconds, sometimes days, and now and then a clock that is set back.
fn step() -> impl Strategy<Value = i64> {
    prop_oneof![8 => 0..30_000i64, 1 => 0..200_000_000i64, 1 => -3_600_000..0i64]
}

proptest! {
    /// Any history of presenting any token of the session at any time: one live leaf, generations grow by one,
    /// nothing older than the parent ever yields a token, and an ended session stays ended.
    #[test]
    fn histories_keep_the_invariants(steps in prop::collection::vec((0u32..8, step(), any::<bool>()), 1..80)) {
        let policy = policy(GRACE);
        let mut row = Session { previous_jti: None, confirmed: false, ..session() };
        let mut chain = vec![row.leaf.clone()];
        let mut blacklisted = std::collections::HashMap::new();
        let mut now = start();

        for (back, millis, confirm) in steps {
            now = Timestamp::from_millis(now.millis() + millis);
            row.confirmed |= confirm;
            let index = chain.len().saturating_sub(1 + back as usize);
            let token = &chain[index];
            let age = chain.len() - 1 - index;
            let presented = Presented { session: row.id, jti: token.jti, generation: token.generation };
            let number = 100 + u32::try_from(chain.len()).unwrap_or(0);
            let blacklisted_at = blacklisted.get(&token.jti).copied();
            let situation = Situation { session: Some((&row, OWNER)), blacklisted_at };

            match decide(&situation, presented, &fresh(number), now, &policy) {
                Decision::Rotate(successor) => {
                    prop_assert_eq!(age, 0);
                    prop_assert_eq!(successor.leaf.generation, row.leaf.generation.next());
                    prop_assert!(successor.leaf.expires_at <= row.absolute_expires_at);
                    blacklisted.insert(row.leaf.jti, now);
                    row.previous_jti = Some(row.leaf.jti);
                    row.rotated_at = successor.rotated_at;
                    row.confirmed = false;
                    row.leaf = successor.leaf.clone();
                    chain.push(successor.leaf);
                }
                Decision::Replay(leaf) => {
                    prop_assert_eq!(age, 1);
                    prop_assert!(!row.confirmed || now.distance(row.rotated_at) <= GRACE);
                    prop_assert_eq!(&leaf, &row.leaf);
                }
                Decision::Stale => {
                    prop_assert!(age >= 2);
                    prop_assert!(blacklisted_at.is_some_and(|at| now.distance(at) <= GRACE));
                }
                Decision::Reuse => {
                    prop_assert!(age >= 1);
                    prop_assert!(age >= 2 || (row.confirmed && now.distance(row.rotated_at) > GRACE));
                    prop_assert!(age == 1 || blacklisted_at.is_none_or(|at| now.distance(at) > GRACE));
                    row.ended = Some(Ended { at: now, reason: EndReason::ReuseDetected });
                }
                Decision::Ended(_) => {
                    prop_assert!(row.ended.is_some() || row.leaf.expires_at <= now || row.absolute_expires_at <= now);
                }
            }
        }
    }
}
