//! Reads revocations from the database, for the [`cache`](super::cache).
//!
//! # Reading by a cursor
//! Each read returns what was written since the one before, and never misses a late commit:
//! - On PostgreSQL each row names the transaction that wrote it. Before a read, a node asks which transaction is the
//!   oldest still running (`pg_snapshot_xmin`). All older ones have ended, so the read sees what they wrote, and the
//!   next read starts there. A long-running transaction makes reads larger, not wrong.
//! - On SQLite writes are serialised, so row numbers increase in commit order.
//!
//! A full read happens:
//! - at startup;
//! - after a failed or cancelled read;
//! - after the notification connection was lost;
//! - when the clock was set back, because dropped entries may matter again;
//! - when the database was replaced or restored: another PostgreSQL server responds (a failover, a restart), or the
//!   cursor is ahead of the database.

use rotation::{SessionId, Timestamp, UserId};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, Value};
use uuid::Uuid;

use crate::{
    Store, StoreError,
    columns::epoch_of,
    revocation::{
        accounts,
        cache::{CachedStatus, Cursor, Position, RevokedAccount},
    },
};

impl Store {
    /// Whether a session is revoked, as far as this process knows. Queries the database once for each session of a
    /// recently revoked account, and otherwise not at all.
    ///
    /// # Errors
    /// If the database had to be queried and is unavailable: then the session may be revoked.
    pub async fn is_revoked(&self, user: UserId, session: SessionId) -> Result<bool, StoreError> {
        match self.revocation_cache().status(user, session) {
            CachedStatus::Revoked => Ok(true),
            CachedStatus::Live => Ok(false),
            CachedStatus::QueryDatabase(epoch) => {
                let is_live = accounts::is_live(self.reader(), user, session).await?;
                self.revocation_cache()
                    .cache_answer(user, session, epoch, is_live);
                Ok(!is_live)
            }
        }
    }

    /// Makes the next read of revocations a full one, because some may have been missed.
    pub fn force_full_read(&self) {
        self.revocation_cache().forget_cursor();
    }

    /// Reads the revocations since the last read, or all since `since`, and returns how many are known now.
    ///
    /// # Errors
    /// If the database is unavailable; then known revocations stay, and the next read is a full one.
    pub async fn read_revocations(&self, since: Timestamp) -> Result<usize, StoreError> {
        let db = self.background_reader();
        // Taken out, so that a failed or cancelled read leaves no cursor.
        let before = self.revocation_cache().take_cursor();
        // Read before the rows: rows written between the two are read again next time.
        let position = position(db).await?;
        let from = before
            .filter(|before| before.since <= since && position.continues(&before.position))
            .map(|before| before.position);
        let sessions = rows_since(db, "ended_sessions", "session_id, ended_at", since, from.as_ref()).await?;
        let accounts = rows_since(
            db,
            "ended_accounts",
            "user_id, token_epoch, ended_at",
            since,
            from.as_ref(),
        )
        .await?;
        let sessions = sessions.iter().map(|row| {
            let session = SessionId::from_uuid(row.try_get::<Uuid>("", "session_id")?);
            Ok((session, revoked_at(row)?))
        });
        let accounts = accounts.iter().map(|row| {
            Ok(RevokedAccount {
                user: UserId::from_uuid(row.try_get::<Uuid>("", "user_id")?),
                epoch: epoch_of(row.try_get("", "token_epoch")?),
                at: revoked_at(row)?,
            })
        });
        let known = self.revocation_cache().merge(
            sessions.collect::<Result<_, StoreError>>()?,
            accounts.collect::<Result<_, StoreError>>()?,
            since,
        );
        self.revocation_cache().put_cursor(Cursor { position, since });
        Ok(known)
    }
}

fn revoked_at(row: &QueryResult) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_millis(row.try_get("", "ended_at")?))
}

/// The current position of the database.
async fn position(db: &impl ConnectionTrait) -> Result<Position, StoreError> {
    if db.get_database_backend() == DbBackend::Sqlite {
        let sql = "SELECT name, seq FROM sqlite_sequence WHERE name IN ('ended_sessions', 'ended_accounts')";
        let (mut sessions, mut accounts) = (0, 0);
        for row in db
            .query_all_raw(Statement::from_string(DbBackend::Sqlite, sql))
            .await?
        {
            let name: String = row.try_get("", "name")?;
            let number = if name == "ended_sessions" {
                &mut sessions
            } else {
                &mut accounts
            };
            *number = row.try_get("", "seq")?;
        }
        return Ok(Position::Sqlite { sessions, accounts });
    }
    let sql = "SELECT pg_postmaster_start_time()::text AS server, \
               pg_snapshot_xmin(pg_current_snapshot())::text AS oldest_running";
    let row = db
        .query_one_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await?;
    let row = row.ok_or_else(|| StoreError::inconsistent("pg_current_snapshot", "xmin", "-"))?;
    let oldest_running: String = row.try_get("", "oldest_running")?;
    let oldest_running = oldest_running
        .parse()
        .map_err(|_| StoreError::inconsistent("pg_current_snapshot", "xmin", &oldest_running))?;
    Ok(Position::Postgres {
        server: row.try_get("", "server")?,
        oldest_running,
    })
}

/// The rows of one of the two tables that were written from a position on, or all since a moment.
async fn rows_since(
    db: &impl ConnectionTrait,
    table: &str,
    columns: &str,
    since: Timestamp,
    from: Option<&Position>,
) -> Result<Vec<QueryResult>, StoreError> {
    let (condition, value): (_, Value) = match from {
        None => ("ended_at >= $1", since.millis().into()),
        Some(Position::Postgres { oldest_running, .. }) => {
            ("written_by >= $1::text::xid8", oldest_running.to_string().into())
        }
        Some(Position::Sqlite { sessions, .. }) if table == "ended_sessions" => {
            ("number > $1", (*sessions).into())
        }
        Some(Position::Sqlite { accounts, .. }) => ("number > $1", (*accounts).into()),
    };
    let sql = format!("SELECT {columns} FROM {table} WHERE {condition}");
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [value]);
    Ok(db.query_all_raw(statement).await?)
}
