//! Database errors.

use std::{fmt, sync::Arc};

use sea_orm::{
    DbErr, RuntimeErr, SqlErr,
    sqlx::{self, error::DatabaseError, postgres::PgDatabaseError},
};

/// A failed database operation.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database could not be reached, did not respond in time, or cannot work (full, read-only, shutting down). No
    /// commit was confirmed; the caller responds with 503 and clears no cookie. A retry may succeed later.
    #[error("the database is unavailable: {0}")]
    Unavailable(DbErr),
    /// Other requests changed the same row before each attempt of this one. Nothing was changed; a retry succeeds
    /// later.
    #[error("the row changed under this request {0} times")]
    Contended(usize),
    /// The database rejected a statement that it should accept: a bug in this code or in the schema. A retry does not
    /// help.
    #[error("the database refused a statement: {0}")]
    Defect(DbErr),
    /// A row contains a value that no version of Keyturn writes.
    #[error("inconsistent row {id} in {table}.{column}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column whose value is invalid.
        column: &'static str,
        /// The row.
        id: String,
    },
}

impl StoreError {
    pub(crate) fn inconsistent(table: &'static str, column: &'static str, id: impl fmt::Display) -> Self {
        Self::Inconsistent {
            table,
            column,
            id: id.to_string(),
        }
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        if is_transient(&error) {
            Self::Unavailable(error)
        } else {
            Self::Defect(error)
        }
    }
}

/// Wraps a failure to connect.
pub(crate) fn connecting(error: sqlx::Error) -> StoreError {
    StoreError::Unavailable(DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))))
}

/// Whether a write was refused because a unique value is taken.
pub(crate) fn is_unique_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

/// Whether the same statement may succeed later.
fn is_transient(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            match &**error {
                sqlx::Error::Database(error) => is_transient_code(&**error),
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed => true,
                _ => false,
            }
        }
        _ => false,
    }
}

fn is_transient_code(error: &dyn DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<PgDatabaseError>().is_some() {
        return is_transient_sqlstate(&code);
    }
    // The low byte is the primary result code; the other bytes refine it.
    code.parse::<i32>()
        .is_ok_and(|code| is_transient_sqlite(code & 0xff))
}

/// According to PostgreSQL's appendix A: first whole classes, then single codes of other classes.
fn is_transient_sqlstate(code: &str) -> bool {
    let class = code.get(..2).unwrap_or_default();
    // Connection, invalid authorization (a password being changed), resources, operator, system.
    matches!(class, "08" | "28" | "53" | "57" | "58")
        // Read-only: a standby that was promoted or a primary that was demoted. Lock not available. Serialization and
        // deadlock. Idle in transaction for too long.
        || matches!(code, "25006" | "55P03" | "40001" | "40P01" | "25P03")
}

/// BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN, PROTOCOL.
fn is_transient_sqlite(code: i32) -> bool {
    matches!(code, 5..=10 | 13..=15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transient_errors_are_recognised_by_their_code() {
        for code in [
            "08006", "53300", "57P01", "57014", "58030", "25006", "40001", "55P03",
        ] {
            assert!(is_transient_sqlstate(code), "{code}");
        }
        // Undefined column, syntax, not null, no privilege, unique.
        for code in ["42703", "42601", "23502", "42501", "23505", ""] {
            assert!(!is_transient_sqlstate(code), "{code}");
        }
        for code in [5, 6, 7, 8, 9, 10, 13, 14, 15] {
            assert!(is_transient_sqlite(code), "{code}");
        }
        // ERROR, INTERNAL, ABORT, CORRUPT, SCHEMA, TOOBIG, CONSTRAINT, MISMATCH, NOTADB.
        for code in [1, 2, 4, 11, 17, 18, 19, 20, 26] {
            assert!(!is_transient_sqlite(code), "{code}");
        }
    }

    #[test]
    fn an_invalid_statement_is_a_defect() {
        assert!(matches!(
            StoreError::from(DbErr::Type("a column of another type".to_owned())),
            StoreError::Defect(_)
        ));
        let closed = DbErr::Conn(RuntimeErr::SqlxError(Arc::new(sqlx::Error::PoolClosed)));
        assert!(matches!(StoreError::from(closed), StoreError::Unavailable(_)));
    }
}
