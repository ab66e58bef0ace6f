//! Any number of session managers against the real rotation, in any order, with whatever a bad network loses.
//!
//! - `keyturn.rs`: the server, which asks `rotation::decide`, and what the specification accepts that it gets wrong
//! - `plan.rs`: what can happen in a browser; `play.rs` lets it happen
//! - `signed_in.rs`: nobody is ever signed out by mistake
//! - `refreshes.rs`: nobody ever asks for more than is allowed; `allowance.rs` says what is
//! - `woken_together.rs`: tabs that wake together after a lost answer
//! - `people.rs`: nobody is ever taken for somebody else, and a sign-out is final
//!
//! Each property is tried on the same 256 plans in every run. `PROPTEST_CASES` asks for more,
//! `PROPTEST_RNG_SEED` draws others.

#[path = "../shared/mod.rs"]
#[expect(dead_code, reason = "the tests of a page by itself need the rest")]
mod shared;

mod allowance;
mod keyturn;
mod people;
mod plan;
mod play;
mod refreshes;
mod signed_in;
mod woken_together;

use proptest::{
    strategy::Strategy,
    test_runner::{Config, RngSeed, TestCaseError, TestRunner},
};

/// Tries the property on many plans. One that fails is shrunk, and shown.
fn try_all<P: std::fmt::Debug>(
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
