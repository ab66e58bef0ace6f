//! Database connections. A connection whose state is unknown is never used again.
//!
//! # Layout
//! - [`connection`] one connection of either driver, and how a statement runs on it
//! - [`pool`] a connection pool with a deadline for every step
//! - [`lease`] one connection in use; [`suspicion`] whether the open connections can still be trusted
//! - [`transaction`] `BEGIN` to `COMMIT` on one connection
//! - [`options`] the settings of each driver
//!
//! # Invariants
//! - Acquiring a connection, beginning, every statement, committing and returning to the pool each have a client-side
//!   deadline. A network that goes silent without a reset costs one deadline and never leaks a connection.
//! - A connection returns to its pool only after a step that is known to have succeeded, or that failed without
//!   changing its state (a violated constraint). After any other error, after a deadline, and when the future is
//!   dropped, it is closed.
//! - This crate sends `BEGIN`, `COMMIT` and `ROLLBACK` itself instead of using the driver's transactions. sqlx counts
//!   nested transactions, and the count is wrong after the database itself rolled back (SQLite does on a full disk).
//!   From then on sqlx's `COMMIT` only releases a savepoint. A plain `COMMIT` fails if there is no transaction, and
//!   leaves none open when it succeeds.

pub(crate) mod connection;
mod lease;
pub(crate) mod options;
pub(crate) mod pool;
mod suspicion;
pub(crate) mod transaction;

pub(crate) use pool::Pool;
pub(crate) use transaction::Transaction;
