//! A copy of an embedded database, made while it is in use.

use std::{path::Path, str::FromStr};

use sea_orm::{
    DbErr,
    sqlx::{
        AssertSqlSafe, Connection, Executor, SqliteConnection, query_scalar, raw_sql,
        sqlite::SqliteConnectOptions,
    },
};

use crate::{Store, StoreError};

impl Store {
    /// Copies an embedded database into `file`, which must not exist or be empty, and checks the copy.
    ///
    /// The copy is one consistent moment, with what is still in the write-ahead log. It reads in a transaction of its
    /// own (`VACUUM INTO`), so a server that uses the database goes on reading and writing. It takes as long as it takes
    /// to write the copy, so it opens a separate connection without a time limit.
    ///
    /// # Errors
    /// If the database is PostgreSQL, cannot be read, or the copy cannot be written or is damaged.
    pub async fn copy_into(&self, file: &Path) -> Result<(), StoreError> {
        if !self.is_sqlite() {
            return Err(failed("only an embedded database can be copied"));
        }
        let path = file.to_str().ok_or_else(|| failed("its name is not UTF-8"))?;
        let options = SqliteConnectOptions::from_str(&self.options().url)
            .map_err(failed)?
            .busy_timeout(self.options().timeout)
            .create_if_missing(false);
        let mut source = SqliteConnection::connect_with(&options).await.map_err(failed)?;
        let copy = format!("VACUUM INTO '{}'", path.replace('\'', "''"));
        source
            .execute(raw_sql(AssertSqlSafe(copy)))
            .await
            .map_err(failed)?;
        source.close().await.map_err(failed)?;
        check(options.filename(file)).await
    }
}

async fn check(options: SqliteConnectOptions) -> Result<(), StoreError> {
    let mut copy = SqliteConnection::connect_with(&options).await.map_err(failed)?;
    let verdict: String = query_scalar("PRAGMA integrity_check(1)")
        .fetch_one(&mut copy)
        .await
        .map_err(failed)?;
    copy.close().await.map_err(failed)?;
    if verdict == "ok" {
        Ok(())
    } else {
        Err(failed(verdict))
    }
}

fn failed(why: impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable(DbErr::Custom(why.to_string()))
}
