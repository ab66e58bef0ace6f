//! Pages of a list: how many rows to read for one, its entries, and where the next one begins.

use sea_orm::{FromQueryResult, QueryResult};

use crate::{StoreError, unreadable};

/// The number of rows to query for a page. One extra row shows whether there is a next page.
pub(crate) const fn rows_for(limit: u64) -> u64 {
    limit.saturating_add(1)
}

/// The entries of a page, and the cursor of the next one; `None` if this is the last page.
///
/// `rows` are those of a query for [`rows_for`] a page of `limit`.
pub(crate) fn split<M, T, C>(
    table: &'static str,
    mut rows: Vec<QueryResult>,
    limit: u64,
    cursor_of: impl Fn(&QueryResult) -> Option<C>,
) -> (Vec<T>, Option<C>)
where
    M: FromQueryResult,
    T: TryFrom<M, Error = StoreError>,
{
    let is_last = rows.len() as u64 <= limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    // Uses the rows, not the parsed entries: a page whose last row is unreadable must not look like the last page.
    let next = rows.iter().rev().find_map(cursor_of);
    let entries = unreadable::readable::<M, T>(table, &rows);
    (entries, next.filter(|_| !is_last))
}
