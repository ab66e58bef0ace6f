//! Connections, and the rule that a connection whose outcome is unknown is never used again.
//!
//! # Layout
//! - [`connection`] one connection of either driver, and how a statement runs on it
//! - [`pool`] connections that are handed out, with a deadline for every step
//! - [`transaction`] `BEGIN` to `COMMIT` on one connection
//! - [`options`] what is asked of each driver
//!
//! # Invariants
//! - Waiting for a connection, beginning, every statement, committing and going back to the pool each have a deadline on
//!   our side. A network that falls silent without a reset costs one deadline and no connection for good.
//! - A connection goes back to its pool only after a step that is known to have succeeded, or that failed in a way which
//!   leaves it as it was (a violated constraint). After any other error, after a deadline, and when the future is
//!   dropped, it is closed.
//! - `BEGIN`, `COMMIT` and `ROLLBACK` are statements of ours, not of the driver. sqlx counts nested transactions, and the
//!   count is wrong after a database rolled back by itself (SQLite does on a full disk): from then on its `COMMIT` only
//!   releases a savepoint. Ours is refused if there is no transaction, and after its success there is none.

pub(crate) mod connection;
pub(crate) mod options;
pub(crate) mod pool;
pub(crate) mod transaction;

pub(crate) use pool::Pool;
pub(crate) use transaction::Transaction;
