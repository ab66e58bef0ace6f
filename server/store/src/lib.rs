//! What Keyturn remembers, on SQLite or PostgreSQL.
//!
//! # Layout
//! - [`Store`] opens the database and begins transactions; `database` hands out its connections, `redact` keeps its
//!   password out of errors
//! - [`users`], [`sessions`], [`keys`] the queries, one module for each thing remembered
//! - [`refresh`] carries out what `rotation::decide` decides about a presented refresh token
//! - [`accounts`] what ends everything that was issued to an account; `alarms` what its owner must be told
//! - `ended_accounts` how all of an account ends at once; `revocation_cache` how every node learns what ended
//! - `writing` a transaction that may write; [`blacklist`], `events`, `ended` what is written on the way inside it
//! - [`guesses`] counters of wrong passwords, shared by all nodes
//! - `uses` which generations were seen in use; `prune` forgets what is of no use any more; `probe` whether a
//!   commit is real
//! - `unreadable` what becomes of rows that this version cannot read
//! - `revoke` ends the sessions of all accounts; `backup` copies an embedded database
//! - `entity` the tables; private
//!
//! # Invariants
//! - Nothing is decided here. The state machine is in `rotation`; this crate loads, writes what was decided, and
//!   says whether the write took effect.
//! - Every guard stands in a `WHERE` clause and the number of affected rows is checked: never read, then write.
//! - A session's end and the blacklisting of its live token are one transaction; where all of an account ends, the
//!   epoch ends it, and the sessions' rows follow in batches.
//! - What ends sessions reads no row: it works set by set, so that no row can stand in its way.
//! - No entity, no SQL and no database error type leaves this crate; moments and randomness come in as arguments.

pub mod accounts;
mod alarms;
mod backup;
pub mod blacklist;
mod connect;
mod database;
mod ended;
mod ended_accounts;
mod entity;
mod error;
mod events;
pub mod guesses;
pub mod keys;
mod probe;
mod prune;
mod redact;
pub mod refresh;
mod revocation_cache;
mod revoke;
pub mod sessions;
mod unreadable;
pub mod users;
mod uses;
mod writing;

pub use connect::{Options, Store};
pub use database::options::tls_finding;
pub use ended::EndListener;
pub use error::StoreError;
pub use events::{Act, Actor, EventId, EventKind, EventList, SecurityEvent, Visitor};
pub use prune::{Horizon, Pruned};
pub use revoke::Revoked;
