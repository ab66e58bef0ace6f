//! One connection of a pool, as long as a statement or a transaction needs it.

use std::{sync::Arc, time::Duration};

use sea_orm::{DbErr, ExecResult, QueryResult, RuntimeErr, Statement, sqlx};
use tokio::time::timeout;
use tracing::Instrument;

use super::{
    connection::{Connection, Prepared, is_harmless, is_lost, to_db_err},
    suspicion::Suspicion,
};

/// What all connections of a pool have in common.
pub(super) struct PoolRules {
    pub(super) deadline: Duration,
    pub(super) prepared: Prepared,
    /// The statement that begins a transaction.
    pub(super) begin: String,
    /// Whether a single statement needs a transaction around it, which pins it to one connection of the pooler.
    pub(super) always_in_transaction: bool,
    pub(super) suspicion: Arc<Suspicion>,
}

/// A connection that is closed unless it is explicitly returned to the pool.
pub(super) struct Lease {
    /// `None` while a step runs, so that dropping its future also closes the connection, and after a step that failed.
    connection: Option<Connection>,
    rules: Arc<PoolRules>,
}

impl Lease {
    pub(super) fn new(connection: Connection, rules: Arc<PoolRules>) -> Self {
        Self {
            connection: Some(connection),
            rules,
        }
    }

    pub(super) async fn execute(&mut self, statement: &Statement) -> Result<ExecResult, DbErr> {
        let prepared = self.rules.prepared;
        self.step(async |connection| connection.execute(statement, prepared).await)
            .await
    }

    pub(super) async fn fetch_one(&mut self, statement: &Statement) -> Result<Option<QueryResult>, DbErr> {
        let prepared = self.rules.prepared;
        self.step(async |connection| connection.fetch_one(statement, prepared).await)
            .await
    }

    pub(super) async fn fetch_all(&mut self, statement: &Statement) -> Result<Vec<QueryResult>, DbErr> {
        let prepared = self.rules.prepared;
        self.step(async |connection| connection.fetch_all(statement, prepared).await)
            .await
    }

    pub(super) async fn run(&mut self, sql: &str) -> Result<ExecResult, DbErr> {
        self.step(async |connection| connection.run(sql).await).await
    }

    /// Whether no step has failed in a way that leaves the connection's state unknown.
    pub(super) fn is_usable(&self) -> bool {
        self.connection.is_some()
    }

    /// Returns the connection to the pool. The pool tests it off the request path and closes it if it does not respond.
    pub(super) fn release(mut self) {
        if let Some(connection) = self.connection.take() {
            let deadline = self.rules.deadline;
            tokio::spawn(timeout(deadline, connection.return_to_pool()).in_current_span());
        }
    }

    async fn step<T>(
        &mut self,
        run: impl AsyncFnOnce(&mut Connection) -> Result<T, sqlx::Error>,
    ) -> Result<T, DbErr> {
        let mut held = HeldConnection(self.connection.take());
        let Some(connection) = held.0.as_mut() else {
            return Err(DbErr::Conn(RuntimeErr::Internal(
                "the connection was closed after an earlier failure".to_owned(),
            )));
        };
        match timeout(self.rules.deadline, run(connection)).await {
            Ok(Ok(answer)) => {
                self.connection = held.0.take();
                Ok(answer)
            }
            Ok(Err(error)) => {
                if is_harmless(&error) {
                    self.connection = held.0.take();
                } else if is_lost(&error) {
                    self.rules.suspicion.raise();
                }
                Err(to_db_err(error))
            }
            Err(_) => {
                self.rules.suspicion.raise();
                Err(too_late("no answer"))
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        drop(HeldConnection(self.connection.take()));
    }
}

/// Closes the connection when it is dropped.
struct HeldConnection(Option<Connection>);

impl Drop for HeldConnection {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            connection.abandon();
        }
    }
}

pub(super) fn too_late(what: &str) -> DbErr {
    DbErr::Conn(RuntimeErr::Internal(format!("{what} within database.timeout")))
}
