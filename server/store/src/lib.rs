//! What Keyturn remembers, on SQLite or PostgreSQL.
//!
//! # Layout
//! - [`Store`] opens the database and begins transactions
//! - [`users`], [`sessions`], [`keys`] the queries, one module for each thing remembered
//! - [`refresh`] carries out what `rotation::decide` decides about a presented refresh token
//! - `blacklist`, `events` what other modules write on the way, always inside the caller's transaction
//! - `entity` the tables; private
//!
//! # Invariants
//! - Nothing is decided here. The state machine is in `rotation`; this crate loads, writes what was decided, and
//!   says whether the write took effect.
//! - Every guard stands in a `WHERE` clause and the number of affected rows is checked: never read, then write.
//! - A session's end and the blacklisting of its live token are one transaction.
//! - No entity, no SQL and no database error type leaves this crate; moments and randomness come in as arguments.

mod blacklist;
mod connect;
mod entity;
mod error;
mod events;
pub mod keys;
pub mod refresh;
pub mod sessions;
pub mod users;

pub use connect::{Options, Store};
pub use error::StoreError;
pub use events::{EventId, Visitor};
