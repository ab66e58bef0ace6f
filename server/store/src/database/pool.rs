//! A connection pool with a deadline for every step.

use std::{fmt, sync::Arc, time::Duration};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    SqlxPostgresConnector, SqlxSqliteConnector, Statement,
    sqlx::{PgPool, SqlitePool},
};
use tokio::time::timeout;

use super::{
    Transaction,
    connection::{Connection, Prepared},
    lease::{Lease, PoolRules, too_late},
    suspicion::Suspicion,
};

/// How much longer the client-side deadline is than the database's own timeout. On a working network the database's
/// timeout fires first and names what it waited for. The client-side deadline is for a silent network.
const GRACE: Duration = Duration::from_millis(500);

/// A connection pool. Cheap to clone. As a [`ConnectionTrait`] it runs each statement on a separate connection.
#[derive(Clone)]
pub(crate) struct Pool {
    driver: Driver,
    rules: Arc<PoolRules>,
}

#[derive(Clone)]
enum Driver {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Pool {
    pub(super) fn sqlite(pool: SqlitePool, wait: Duration) -> Self {
        Self {
            driver: Driver::Sqlite(pool),
            rules: Arc::new(PoolRules {
                deadline: wait + GRACE,
                prepared: Prepared::Kept,
                // Takes the write lock immediately. A deferred transaction that reads first and then writes can fail
                // with a busy snapshot, which no timeout retries.
                begin: "BEGIN IMMEDIATE".to_owned(),
                always_in_transaction: false,
                suspicion: Arc::default(),
            }),
        }
    }

    pub(super) fn postgres(
        pool: PgPool,
        wait: Duration,
        suspicion: Arc<Suspicion>,
        behind_pooler: bool,
    ) -> Self {
        // Independent of the database's default: under `REPEATABLE READ` requests that race for one row fail.
        let begin = "BEGIN ISOLATION LEVEL READ COMMITTED";
        let millis = wait.as_millis();
        Self {
            driver: Driver::Postgres(pool),
            rules: Arc::new(PoolRules {
                deadline: wait + GRACE,
                prepared: if behind_pooler {
                    Prepared::Once
                } else {
                    Prepared::Kept
                },
                begin: if behind_pooler {
                    // A pooler rejects settings at connection time.
                    format!("{begin}; SET LOCAL statement_timeout = {millis}")
                } else {
                    begin.to_owned()
                },
                always_in_transaction: behind_pooler,
                suspicion,
            }),
        }
    }

    /// The same connections as SeaORM's own type, for its migrations, which run at startup.
    pub(crate) fn for_migrations(&self) -> DatabaseConnection {
        match &self.driver {
            Driver::Sqlite(pool) => SqlxSqliteConnector::from_sqlx_sqlite_pool(pool.clone()),
            Driver::Postgres(pool) => SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone()),
        }
    }

    /// Begins a transaction that may write.
    pub(crate) async fn begin(&self) -> Result<Transaction, DbErr> {
        let mut lease = self.lease().await?;
        lease.run(&self.rules.begin).await?;
        Ok(Transaction::new(lease, self.get_database_backend()))
    }

    /// Closes all connections once they are returned.
    ///
    /// # Errors
    /// If some connections are not returned within the deadline. They are cut off when the process exits.
    pub(crate) async fn close(&self) -> Result<(), DbErr> {
        let closed = async {
            match &self.driver {
                Driver::Sqlite(pool) => pool.close().await,
                Driver::Postgres(pool) => pool.close().await,
            }
        };
        timeout(self.rules.deadline, closed)
            .await
            .map_err(|_| too_late("some connections are still in use: not closed"))
    }

    async fn lease(&self) -> Result<Lease, DbErr> {
        let acquire = async {
            match &self.driver {
                Driver::Sqlite(pool) => pool.acquire().await.map(Connection::Sqlite),
                Driver::Postgres(pool) => pool.acquire().await.map(Connection::Postgres),
            }
        };
        match timeout(self.rules.deadline, acquire).await {
            Ok(Ok(connection)) => Ok(Lease::new(connection, Arc::clone(&self.rules))),
            Ok(Err(error)) => Err(DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))),
            Err(_) => Err(too_late("no connection")),
        }
    }

    /// Runs one statement on a separate connection.
    async fn once<T>(&self, step: impl AsyncFnOnce(&mut Lease) -> Result<T, DbErr>) -> Result<T, DbErr> {
        let mut lease = self.lease().await?;
        if self.rules.always_in_transaction {
            lease.run(&self.rules.begin).await?;
        }
        let answer = step(&mut lease).await;
        if self.rules.always_in_transaction && lease.is_usable() {
            let end = if answer.is_ok() { "COMMIT" } else { "ROLLBACK" };
            lease.run(end).await?;
        }
        lease.release();
        answer
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("deadline", &self.rules.deadline)
            .finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Pool {
    fn get_database_backend(&self) -> DbBackend {
        match self.driver {
            Driver::Sqlite(_) => DbBackend::Sqlite,
            Driver::Postgres(_) => DbBackend::Postgres,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.once(async move |lease| lease.execute(&statement).await)
            .await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.once(async move |lease| lease.run(sql).await).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.once(async move |lease| lease.fetch_one(&statement).await)
            .await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.once(async move |lease| lease.fetch_all(&statement).await)
            .await
    }
}
