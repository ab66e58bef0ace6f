//! Opening the database.

use std::{fmt, sync::Arc, time::Duration};

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};

use crate::{StoreError, ended::EndedSessions, uses::Uses, writing::Writing};

/// How to reach the database.
#[derive(Clone)]
pub struct Options {
    /// `sqlite://path` or `postgres://…`
    pub url: String,
    /// Connections to PostgreSQL; SQLite gets one writer and a few readers.
    pub max_connections: u32,
    /// How long a request waits for a connection, and a statement for a lock.
    pub timeout: Duration,
}

/// Without the URL, which may hold a password.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("max_connections", &self.max_connections)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    /// On SQLite a pool of one: writers queue here, where waiting is fair and bounded, and not on the file's lock.
    writer: DatabaseConnection,
    reader: DatabaseConnection,
    /// What this process knows without asking.
    memory: Arc<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    ended: EndedSessions,
    uses: Uses,
}

const SQLITE_READERS: u32 = 4;
/// The most of a database that a connection keeps in memory, in KiB and negative as SQLite wants it. With its default of
/// 2 MiB the pages of a large blacklist push out those of the sessions, and every rotation reads them again.
const SQLITE_CACHE: &str = "-65536";
/// The number of our lock among PostgreSQL's advisory locks: “keyturn” in hexadecimal.
const ALONE: i64 = 0x6b_6579_7475_726e;

impl Store {
    /// Opens the database; a SQLite file is created if it does not exist.
    ///
    /// # Errors
    /// If it cannot be reached.
    pub async fn connect(options: &Options) -> Result<Self, StoreError> {
        if options.url.starts_with("sqlite:") {
            let writer = Database::connect(sqlite(options, 1)).await?;
            let reader = Database::connect(sqlite(options, SQLITE_READERS)).await?;
            return Ok(Self::over(writer, reader));
        }
        let pool = Database::connect(postgres(options)).await?;
        Ok(Self::over(pool.clone(), pool))
    }

    fn over(writer: DatabaseConnection, reader: DatabaseConnection) -> Self {
        Self {
            writer,
            reader,
            memory: Arc::default(),
        }
    }

    /// The connection that migrations run on.
    pub fn connection(&self) -> &DatabaseConnection {
        &self.writer
    }

    pub fn is_sqlite(&self) -> bool {
        self.writer.get_database_backend() == DbBackend::Sqlite
    }

    /// Whether the database answers and has our tables, within the configured time.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.reader
            .execute_unprepared("SELECT 1 FROM users LIMIT 1")
            .await?;
        Ok(())
    }

    /// Closes all connections, after the requests that use them are done.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn close(self) -> Result<(), StoreError> {
        self.writer.close_by_ref().await?;
        self.reader.close_by_ref().await?;
        Ok(())
    }

    pub(crate) fn reader(&self) -> &DatabaseConnection {
        &self.reader
    }

    pub(crate) fn writer(&self) -> &DatabaseConnection {
        &self.writer
    }

    pub(crate) fn ended(&self) -> &EndedSessions {
        &self.memory.ended
    }

    pub(crate) fn uses(&self) -> &Uses {
        &self.memory.uses
    }

    /// Begins a transaction that no other node's overlaps, for what must be done once: the schema, the first key.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn begin_alone(&self) -> Result<DatabaseTransaction, StoreError> {
        let tx = self.begin_raw().await?;
        if !self.is_sqlite() {
            tx.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({ALONE})"))
                .await?;
        }
        Ok(tx)
    }

    /// Begins a transaction that may write.
    pub(crate) async fn begin(&self) -> Result<Writing<'_>, StoreError> {
        Ok(Writing::new(self, self.begin_raw().await?))
    }

    /// On SQLite it takes the write lock at once (`BEGIN IMMEDIATE`): a deferred one that reads first and then
    /// writes can fail with a busy snapshot, which no time-out retries.
    async fn begin_raw(&self) -> Result<DatabaseTransaction, StoreError> {
        let options = TransactionOptions {
            sqlite_transaction_mode: self.is_sqlite().then_some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(self.writer.begin_with_options(options).await?)
    }
}

fn common(options: &Options, max_connections: u32) -> ConnectOptions {
    let mut connect = ConnectOptions::new(&options.url);
    connect
        .max_connections(max_connections)
        .acquire_timeout(options.timeout)
        .connect_timeout(options.timeout)
        .sqlx_logging(false)
        // Statements name ids and addresses; traces are no place for them.
        .record_stmt_in_spans(false);
    connect
}

fn sqlite(options: &Options, max_connections: u32) -> ConnectOptions {
    let mut connect = common(options, max_connections);
    let timeout = options.timeout;
    connect.map_sqlx_sqlite_opts(move |sqlite| {
        use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
        sqlite
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            // NORMAL may lose the last commits when the power fails, and a lost rotation revives a consumed token.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(timeout)
            .pragma("cache_size", SQLITE_CACHE)
    });
    connect
}

fn postgres(options: &Options) -> ConnectOptions {
    let mut connect = common(options, options.max_connections);
    connect
        .set_application_name("keyturn")
        .statement_timeout(options.timeout);
    connect
}
