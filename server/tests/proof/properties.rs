//! More than ten thousand random histories against the real store. A reference model judges each step.
//!
//! # Layout
//! - [`plan`] the steps of a history, and how a random one is generated
//! - [`model`] a second implementation of the rules in `server/rotation/README.md`; it shares nothing with
//!   `rotation::decide`
//! - [`play`] executes a history and compares every verdict with the model's, and finally every row
//!
//! Requests sent at the same time may take effect in any order, so their verdicts and rows must match *some* order.
//!
//! In addition to the verdicts, this asserts the following invariants (`server/rotation/tests/model/property.rs`):
//! - I1 and I9 by the rows ([`crate::rows::violations`])
//! - I2 by comparing the tokens byte by byte
//! - I3 by steps that send one token several times at the same time
//! - I4 to I7 and I12 by the model's verdicts
//! - I8 by a second session of the same account, which must also match the model
//! - I13 by pruning in between

mod model;
mod plan;
mod play;

use std::{cell::RefCell, collections::BTreeMap};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use self::play::TestWorld;
use crate::{seeded_rng, support::Db};

/// Histories per database. They run in parallel lanes, each with a separate database.
const HISTORIES: u32 = 5_200;
const LANES: u8 = 4;

/// Events that a run must contain, because otherwise it proves little about them.
const MUST_OCCUR: [&str; 18] = [
    "rotated",
    "replayed within the grace",
    "replayed because unconfirmed",
    "stale",
    "stale parent",
    "reuse of the parent",
    "reuse of an older one",
    "over",
    "expired",
    "account disabled",
    "logged out",
    "revoked",
    "others revoked",
    "logged out everywhere",
    "password set",
    "token pruned",
    "session pruned",
    "at once",
];

#[test]
fn sqlite() {
    judge(1, || async { Db::sqlite_in(crate::in_memory()) });
}

#[test]
fn postgres() {
    judge(2, Db::postgres);
}

fn judge<F: Future<Output = Db>>(salt: u8, database: impl Fn() -> F + Sync) {
    let seed = seeded_rng::seed();
    let mut occurred: BTreeMap<&'static str, u64> = BTreeMap::new();
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES)
            .map(|lane| {
                scope.spawn({
                    let database = &database;
                    move || judge_lane(seed, [salt, lane], database)
                })
            })
            .collect();
        for lane in lanes {
            for (what, times) in lane.join().expect("its histories are as they should be") {
                *occurred.entry(what).or_default() += times;
            }
        }
    });
    for (what, times) in &occurred {
        println!("{times:>8} {what}");
    }
    for what in MUST_OCCUR {
        assert!(
            occurred.get(what).is_some_and(|times| *times >= 20),
            "{what} hardly ever occurred: the histories prove little about it"
        );
    }
}

fn judge_lane<F: Future<Output = Db>>(
    seed: u64,
    salt: [u8; 2],
    database: impl Fn() -> F,
) -> BTreeMap<&'static str, u64> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let world = RefCell::new(runtime.block_on(async { TestWorld::new(database().await).await }));

    let mut material = [0; 32];
    material[..8].copy_from_slice(&seed.to_le_bytes());
    material[8..10].copy_from_slice(&salt);
    let config = Config {
        cases: HISTORIES / u32::from(LANES),
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &material));
    let outcome = runner.run(&plan::plans(), |plan| {
        runtime
            .block_on(play::play(&mut world.borrow_mut(), &plan))
            .map_err(TestCaseError::fail)
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(why, plan)) => panic!("{why}\nin this history (seed {seed}):\n{plan:#?}"),
        Err(TestError::Abort(why)) => panic!("no histories: {why}"),
    }
    let world = world.into_inner();
    let census = runtime.block_on(world.rows.check_everything(true));
    println!("the database in the end: {census:?}");
    world.seen
}
