//! Property tests: any number of session managers against the real rotation, in any order, on a lossy network.
//!
//! - `rotation_server.rs`: the server, which uses `rotation::decide`, and the gaps that `app/session/README.md` accepts
//! - `plan.rs`: the possible actions in a browser; `run_plan.rs` executes them
//! - `signed_in.rs`: no one is ever signed out by mistake
//! - `refreshes.rs`: no page ever sends more refreshes than allowed; `allowed_refreshes.rs` defines what is allowed
//! - `simultaneous_wakeup.rs`: tabs that wake at the same time after a lost response
//! - `users.rs`: no user is ever mistaken for another, and a sign-out is final
//!
//! Each property is tested on the same 256 plans in every run. `PROPTEST_CASES` sets another number,
//! `PROPTEST_RNG_SEED` another selection.

#[path = "../shared/mod.rs"]
#[expect(dead_code, reason = "the tests of a page by itself need the rest")]
mod shared;

mod allowed_refreshes;
mod plan;
mod refreshes;
mod rotation_server;
mod run_plan;
mod signed_in;
mod simultaneous_wakeup;
mod users;

use proptest::{
    strategy::Strategy,
    test_runner::{Config, RngSeed, TestCaseError, TestRunner},
};

/// Tests the property on many plans. A failing plan is shrunk and printed.
fn check_all<P: std::fmt::Debug>(
    plans: impl Strategy<Value = P>,
    property: impl Fn(&P) -> Result<(), TestCaseError>,
) {
    let asked_for = Config::default();
    let config = Config {
        rng_seed: match asked_for.rng_seed {
            RngSeed::Random => RngSeed::Fixed(1),
            chosen @ RngSeed::Fixed(_) => chosen,
        },
        max_shrink_iters: 50_000,
        failure_persistence: None,
        ..asked_for
    };
    let outcome = TestRunner::new(config).run(&plans, |plan| property(&plan));
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
