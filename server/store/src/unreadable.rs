//! Rows that this version cannot read: written by a newer node, damaged, or edited by hand.
//!
//! A reader skips such a row, or interprets it with the least privilege, and reports it. *Revoking* sessions is not
//! affected: it does not read rows (see [`revoke`](crate::revocation::sessions::revoke)).

use std::fmt;

use sea_orm::{FromQueryResult, QueryResult};

use crate::StoreError;

/// Reports an unreadable value: a log line, and `keyturn_unreadable_rows_total`.
pub(crate) fn report(table: &'static str, column: &'static str, id: impl fmt::Display) {
    metrics::counter!("keyturn_unreadable_rows_total", "table" => table).increment(1);
    tracing::warn!(table, column, %id, "unreadable row");
}

/// Parses the rows of a list one by one. Reports and skips those that cannot be read.
pub(crate) fn readable<M, T>(table: &'static str, rows: &[QueryResult]) -> Vec<T>
where
    M: FromQueryResult,
    T: TryFrom<M, Error = StoreError>,
{
    let read = |row| {
        let model = M::from_query_result(row, "")?;
        T::try_from(model)
    };
    rows.iter()
        .filter_map(|row| match read(row) {
            Ok(entry) => Some(entry),
            Err(StoreError::Inconsistent { table, column, id }) => {
                report(table, column, id);
                None
            }
            Err(error) => {
                report(table, "-", error);
                None
            }
        })
        .collect()
}
