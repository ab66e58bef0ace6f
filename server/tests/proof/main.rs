//! The rotation engine put to the proof: thousands of random histories, a hundred requests at once, and processes that
//! are killed in the middle of their work. On SQLite and on PostgreSQL, as in the other tests.
//!
//! # Layout
//! - [`properties`] random histories against the store, judged by a reference model that shares no code with the product
//! - [`crash`] a server process killed by SIGKILL again and again, and browsers that never notice
//! - [`races`] a hundred tabs at once, against each other and against everything that ends sessions
//! - [`rows`] what every database must look like afterwards, read past the product
//! - [`child`] the server as a process of its own, [`wire`] HTTP to it, [`dice`] chance that can be repeated, [`people`]
//!   accounts and sessions to work with
//!
//! Every random choice comes from a seed that the tests print. `KEYTURN_PROOF_SEED` sets another one.

use std::sync::Arc;

use rotation::Clock;
use store::Store;
use web::{App, AppState, config::Config, random::Random};

mod child;
mod crash;
mod dice;
mod people;
mod properties;
mod races;
mod rows;
#[path = "../api/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "the API's tests use all of it, these tests a part"
)]
mod support;
mod wire;

/// A folder in memory where the system has one, for databases with thousands of commits: what they are about is what
/// gets written, not whether it survives a power failure, and every commit waits for the disk.
fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .expect("a temporary folder")
}

/// The database that a configuration names.
async fn open(config: &Config) -> Store {
    Store::connect(&config.database.options())
        .await
        .expect("the database opens")
}

/// The services over a database that has its schema.
async fn services(config: Config, store: Store, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> AppState {
    let app = App::new(config, store, clock, random).await;
    AppState::new(app.expect("the services start"))
}
