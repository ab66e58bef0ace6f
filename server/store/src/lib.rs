//! Keyturn's persistent state, on SQLite or PostgreSQL.
//!
//! # Layout
//! - [`Store`] opens the database and begins transactions; `database` manages its connections; `redact` keeps the
//!   database password out of errors
//! - [`users`], [`sessions`], [`keys`] the queries, one module per kind of record
//! - [`refresh`] executes what `rotation::decide` decides about a presented refresh token
//! - [`accounts`] operations that revoke everything issued to an account; `alarms` security warnings for its owner
//! - `ended_accounts` revokes everything issued to an account in one step; `revocations` and
//!   `revocation_cache` how every node learns about revocations
//! - `writing` the write transaction; [`blacklist`], `events`, `ended` the records written inside it;
//!   `session_end` ends sessions
//! - [`guesses`] counters of wrong passwords, shared by all nodes
//! - `confirmations` first use of each token generation; `prune` deletes expired records; `probe` checks that commits are
//!   visible
//! - `unreadable` handling of rows that this version cannot read
//! - `revoke` revokes the sessions of all accounts; `backup` copies an embedded database
//! - `entity` the tables, `columns` how numbers are stored; private
//!
//! # Invariants
//! - This crate makes no decisions. The state machine is in `rotation`; this crate loads state, writes what was
//!   decided, and reports whether the write took effect.
//! - Every guard is part of a `WHERE` clause, and the number of affected rows is checked. A read never guards a later
//!   write.
//! - Revoking a session and blacklisting its live token happen in one transaction. When everything of an account is
//!   revoked, the epoch revokes it, and the session rows follow in batches.
//! - Revocation reads no rows. It works set by set, so an unreadable row cannot block it.
//! - No entity, SQL or database error type leaves this crate. Time and randomness are parameters.

pub mod accounts;
mod alarms;
mod backup;
pub mod blacklist;
mod columns;
mod confirmation_buffer;
mod confirmations;
mod connect;
mod database;
mod ended;
mod ended_accounts;
mod entity;
mod error;
mod events;
pub mod guesses;
pub mod keys;
mod options;
mod probe;
mod prune;
mod redact;
pub mod refresh;
mod revocation_cache;
mod revocations;
mod revoke;
mod session_end;
pub mod sessions;
mod unreadable;
pub mod users;
mod writing;

pub use connect::Store;
pub use database::options::tls_finding;
pub use ended::EndListener;
pub use error::StoreError;
pub use events::{Act, Actor, EventId, EventKind, EventList, SecurityEvent, Visitor};
pub use options::Options;
pub use prune::{Horizon, Pruned};
pub use revoke::Revoked;
