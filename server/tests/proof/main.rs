//! Stress tests of the rotation engine: thousands of random histories, a hundred concurrent requests, and processes
//! killed in the middle of their work. On SQLite and on PostgreSQL, like the other tests.
//!
//! # Layout
//! - [`properties`] random histories against the store, judged by a reference model that shares no code with the
//!   product
//! - [`crash`] a server process that is killed by SIGKILL repeatedly, and browsers that never notice
//! - [`races`] a hundred concurrent tabs, against each other and against everything that ends sessions
//! - [`rows`] what every database must look like afterwards, read without the product's code
//! - [`child`] the server as a separate process, [`wire`] HTTP to it, [`seeded_rng`] reproducible randomness, [`people`]
//!   accounts and sessions for the tests
//!
//! Every random choice comes from a seed that the tests print. `KEYTURN_PROOF_SEED` sets another one.

use std::sync::Arc;

use rotation::Clock;
use store::Store;
use web::{App, AppState, config::Config, random::Random};

mod child;
mod crash;
mod people;
mod properties;
mod races;
mod rows;
mod seeded_rng;
#[path = "../api/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "the API's tests use all of it, these tests a part"
)]
mod support;
mod wire;

/// A folder in memory, if the system has one, for databases with thousands of commits. These tests check what is
/// written, not whether it survives a power failure, and on disk every commit would wait for the disk.
fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .expect("a temporary folder")
}

/// Opens the database that a configuration names.
async fn open(config: &Config) -> Store {
    Store::connect(&config.database.options())
        .await
        .expect("the database opens")
}

/// The services over a database that already has its schema.
async fn services(config: Config, store: Store, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> AppState {
    let app = App::new(config, store, clock, random).await;
    AppState::new(app.expect("the services start"))
}
