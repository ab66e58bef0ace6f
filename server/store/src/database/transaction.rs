//! `BEGIN` to `COMMIT` on one connection.

use std::fmt;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement};
use tokio::sync::Mutex;

use super::lease::Lease;

/// A transaction. Dropping it without a commit changes nothing and closes its connection.
pub(crate) struct Transaction {
    state: Mutex<TransactionState>,
    backend: DbBackend,
}

struct TransactionState {
    lease: Lease,
    /// A statement failed. The connection may still accept a `ROLLBACK`, but there is nothing to commit: PostgreSQL
    /// would report success for `COMMIT` and roll back.
    has_failed: bool,
}

impl Transaction {
    pub(super) fn new(lease: Lease, backend: DbBackend) -> Self {
        Self {
            state: Mutex::new(TransactionState {
                lease,
                has_failed: false,
            }),
            backend,
        }
    }

    /// Commits the transaction.
    ///
    /// # Errors
    /// If a statement failed before: nothing is committed. If the database does not confirm: the outcome of the commit
    /// is unknown. The connection is closed in both cases.
    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        let mut state = self.state.into_inner();
        if state.has_failed {
            return Err(DbErr::Conn(RuntimeErr::Internal(
                "not committed: a statement of this transaction failed".to_owned(),
            )));
        }
        state.lease.run("COMMIT").await?;
        state.lease.release();
        Ok(())
    }

    /// Rolls back, and returns the connection to the pool once the database has confirmed it.
    ///
    /// # Errors
    /// If the database does not confirm. The connection is closed, which rolls back as well.
    pub(crate) async fn rollback(self) -> Result<(), DbErr> {
        let mut state = self.state.into_inner();
        if state.lease.is_usable() {
            state.lease.run("ROLLBACK").await?;
            state.lease.release();
        }
        Ok(())
    }

    async fn step<T>(&self, run: impl AsyncFnOnce(&mut Lease) -> Result<T, DbErr>) -> Result<T, DbErr> {
        let mut state = self.state.lock().await;
        let answer = run(&mut state.lease).await;
        state.has_failed |= answer.is_err();
        answer
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transaction")
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        self.backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.step(async move |lease| lease.execute(&statement).await)
            .await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.step(async move |lease| lease.run(sql).await).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.step(async move |lease| lease.fetch_one(&statement).await)
            .await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.step(async move |lease| lease.fetch_all(&statement).await)
            .await
    }
}
