//! One connection of either driver, and how a statement runs on it.

use std::sync::Arc;

use sea_orm::{
    DbErr, ExecResult, QueryResult, RuntimeErr, Statement,
    sea_query::Values,
    sqlx::{
        self, AssertSqlSafe, Executor, IntoArguments, Postgres, Sqlite, database::HasStatementCache,
        pool::PoolConnection, query::Query,
    },
};
use sea_query_sqlx::SqlxValues;

/// A connection acquired from its pool.
pub(super) enum Connection {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

/// Whether the driver may cache a prepared statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prepared {
    Kept,
    /// Behind a pooler the next transaction may run on another server connection.
    Once,
}

impl Connection {
    pub(super) async fn execute(
        &mut self,
        statement: &Statement,
        prepared: Prepared,
    ) -> Result<ExecResult, sqlx::Error> {
        match self {
            Self::Sqlite(connection) => {
                let done = query(statement, prepared).execute(&mut **connection).await?;
                Ok(done.into())
            }
            Self::Postgres(connection) => {
                let done = query(statement, prepared).execute(&mut **connection).await?;
                Ok(done.into())
            }
        }
    }

    pub(super) async fn fetch_one(
        &mut self,
        statement: &Statement,
        prepared: Prepared,
    ) -> Result<Option<QueryResult>, sqlx::Error> {
        match self {
            Self::Sqlite(connection) => {
                let row = query(statement, prepared)
                    .fetch_optional(&mut **connection)
                    .await?;
                Ok(row.map(Into::into))
            }
            Self::Postgres(connection) => {
                let row = query(statement, prepared)
                    .fetch_optional(&mut **connection)
                    .await?;
                Ok(row.map(Into::into))
            }
        }
    }

    pub(super) async fn fetch_all(
        &mut self,
        statement: &Statement,
        prepared: Prepared,
    ) -> Result<Vec<QueryResult>, sqlx::Error> {
        match self {
            Self::Sqlite(connection) => {
                let rows = query(statement, prepared).fetch_all(&mut **connection).await?;
                Ok(rows.into_iter().map(Into::into).collect())
            }
            Self::Postgres(connection) => {
                let rows = query(statement, prepared).fetch_all(&mut **connection).await?;
                Ok(rows.into_iter().map(Into::into).collect())
            }
        }
    }

    /// Runs unprepared SQL: one statement, or several separated by semicolons.
    pub(super) async fn run(&mut self, sql: &str) -> Result<ExecResult, sqlx::Error> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(connection) => Ok(connection.execute(sql).await?.into()),
            Self::Postgres(connection) => Ok(connection.execute(sql).await?.into()),
        }
    }

    /// Returns the connection to the pool. The driver tests it first and waits for the response.
    pub(super) async fn return_to_pool(mut self) {
        match &mut self {
            // Hidden from sqlx's documentation, but the only way to bound that test. Dropping the connection would
            // spawn a task without a deadline, which holds the slot in the pool for as long as it waits.
            Self::Sqlite(connection) => connection.return_to_pool().await,
            Self::Postgres(connection) => connection.return_to_pool().await,
        }
    }

    /// Closes the connection immediately, without notifying the other side, which may be unreachable. Frees its slot in
    /// the pool.
    pub(super) fn abandon(self) {
        match self {
            Self::Sqlite(connection) => drop(connection.detach()),
            Self::Postgres(connection) => drop(connection.detach()),
        }
    }
}

fn query<DB>(statement: &Statement, prepared: Prepared) -> Query<'_, DB, SqlxValues>
where
    DB: sqlx::Database + HasStatementCache,
    SqlxValues: IntoArguments<DB>,
{
    let values = statement.values.clone().unwrap_or(Values(Vec::new()));
    sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), SqlxValues(values))
        .persistent(prepared == Prepared::Kept)
}

/// Converts the driver's error to SeaORM's error type.
pub(super) fn to_db_err(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error)))
}

/// Whether the connection's state is unchanged: the database rejected one statement because of its values.
pub(super) fn is_harmless(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error)
        if error.is_unique_violation() || error.is_foreign_key_violation() || error.is_check_violation())
}

/// Whether the server may be unreachable, which affects every other connection to it too.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    matches!(
        error,
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed
    )
}
