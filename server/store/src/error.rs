//! What can go wrong with a database.

use std::fmt;

use sea_orm::{DbErr, SqlErr};

/// The database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It could not be reached, did not answer in time, or refused. No commit was confirmed; the caller answers 503
    /// and clears no cookie.
    #[error("the database failed: {0}")]
    Unavailable(#[from] DbErr),
    /// A row says something that no version of this program writes.
    #[error("inconsistent row {id} in {table}.{column}")]
    Inconsistent {
        table: &'static str,
        column: &'static str,
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

/// Whether a write was refused because a unique value is taken.
pub(crate) fn is_unique_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}
