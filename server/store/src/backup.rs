//! Online copy of an embedded database.

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
    /// The copy is a consistent snapshot that includes the write-ahead log. It reads in a separate transaction (`VACUUM
    /// INTO`), so a running server can continue to read and write. The duration depends on the size of the database, so
    /// this uses a separate connection without a timeout.
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
