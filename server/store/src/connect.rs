//! Opening the database.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, TransactionTrait};

use crate::{
    Options, StoreError,
    confirmation_buffer::ConfirmationBuffer,
    database::{
        Pool, Transaction,
        options::{open_postgres, open_sqlite},
    },
    error::connecting,
    redact::redact,
    revocation::cache::RevocationCache,
};

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    /// On SQLite a pool of one: writers queue here, where waiting is fair and bounded, instead of on the file's lock.
    writer: Pool,
    reader: Pool,
    /// For background jobs: revocations still arrive when the connections that serve requests are exhausted.
    background: Pool,
    /// The writer's connections as the type that SeaORM's migrations require.
    migrations: DatabaseConnection,
    options: Arc<Options>,
    /// What this process keeps in memory.
    caches: Arc<SharedCaches>,
}

#[derive(Debug, Default)]
struct SharedCaches {
    revocations: RevocationCache,
    confirmations: ConfirmationBuffer,
}

const SQLITE_READERS: u32 = 4;
/// Number of connections for background jobs.
const BACKGROUND: u32 = 2;
/// Takes Keyturn's PostgreSQL advisory lock. The number is “keyturn” in hexadecimal.
const ADVISORY_LOCK: &str = "SELECT pg_advisory_xact_lock(30229394827342446)";

impl Store {
    /// Opens the database. Creates a SQLite file if it does not exist.
    ///
    /// # Errors
    /// If it cannot be reached.
    pub async fn connect(options: &Options) -> Result<Self, StoreError> {
        let connecting = |error| match connecting(error) {
            StoreError::Unavailable(error) => StoreError::Unavailable(redact(error, &options.url)),
            other => other,
        };
        let (writer, reader, background) = if options.url.starts_with("sqlite:") {
            (
                open_sqlite(options, 1).await.map_err(connecting)?,
                open_sqlite(options, SQLITE_READERS).await.map_err(connecting)?,
                open_sqlite(options, BACKGROUND).await.map_err(connecting)?,
            )
        } else {
            let pool = open_postgres(options, options.max_connections)
                .await
                .map_err(connecting)?;
            let background = open_postgres(options, BACKGROUND).await.map_err(connecting)?;
            (pool.clone(), pool, background)
        };
        Ok(Self {
            migrations: writer.for_migrations(),
            writer,
            reader,
            background,
            options: Arc::new(options.clone()),
            caches: Arc::default(),
        })
    }

    /// The connection for migrations.
    pub fn connection(&self) -> &DatabaseConnection {
        &self.migrations
    }

    /// For reading what no query of this crate covers, such as the schema.
    pub fn queries(&self) -> &impl ConnectionTrait {
        &self.reader
    }

    /// Whether a transaction pooler is between this process and PostgreSQL.
    pub fn is_behind_pooler(&self) -> bool {
        self.options.behind_pooler
    }

    /// Whether the database is SQLite.
    pub fn is_sqlite(&self) -> bool {
        self.writer.get_database_backend() == DbBackend::Sqlite
    }

    /// Closes all connections after the requests that use them have finished.
    ///
    /// # Errors
    /// If some are still in use after `database.timeout`.
    pub async fn close(self) -> Result<(), StoreError> {
        self.writer.close().await?;
        self.reader.close().await?;
        self.background.close().await?;
        Ok(())
    }

    pub(crate) fn reader(&self) -> &Pool {
        &self.reader
    }

    pub(crate) fn writer(&self) -> &Pool {
        &self.writer
    }

    /// Connections for background reads.
    pub(crate) fn background_reader(&self) -> &Pool {
        &self.background
    }

    /// Connections for background writes. SQLite has a single writer for everything.
    pub(crate) fn background_writer(&self) -> &Pool {
        if self.is_sqlite() {
            &self.writer
        } else {
            &self.background
        }
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn revocation_cache(&self) -> &RevocationCache {
        &self.caches.revocations
    }

    pub(crate) fn confirmations(&self) -> &ConfirmationBuffer {
        &self.caches.confirmations
    }

    /// Begins a transaction for migrations. No two such transactions overlap, even on different nodes.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn begin_migration(&self) -> Result<DatabaseTransaction, StoreError> {
        use sea_orm::{SqliteTransactionMode, TransactionOptions};

        let options = TransactionOptions {
            sqlite_transaction_mode: self.is_sqlite().then_some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let tx = self.migrations.begin_with_options(options).await?;
        if !self.is_sqlite() {
            tx.execute_unprepared(ADVISORY_LOCK).await?;
        }
        Ok(tx)
    }

    /// Begins a transaction for what must happen once: creating the first key or the next key. No two such transactions
    /// overlap, even on different nodes.
    pub(crate) async fn begin_exclusive(&self) -> Result<Transaction, StoreError> {
        let tx = self.background_writer().begin().await?;
        if !self.is_sqlite() {
            tx.execute_unprepared(ADVISORY_LOCK).await?;
        }
        Ok(tx)
    }
}
