//! How to reach the database.

use std::{fmt, time::Duration};

/// How to reach the database.
#[derive(Clone)]
pub struct Options {
    /// `sqlite://path` or `postgres://…`
    pub url: String,
    /// Size of the PostgreSQL pool; SQLite gets one writer and a few readers.
    pub max_connections: u32,
    /// How long a request waits for a connection, and a statement for a lock or for its result.
    pub timeout: Duration,
    /// PostgreSQL is reached through a transaction pooler, such as PgBouncer with `pool_mode = transaction`. Each
    /// transaction may run on a different connection, so no state may be kept on one beyond a transaction.
    pub behind_pooler: bool,
}

/// Omits the URL, which may contain a password.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("max_connections", &self.max_connections)
            .field("timeout", &self.timeout)
            .field("behind_pooler", &self.behind_pooler)
            .finish_non_exhaustive()
    }
}
