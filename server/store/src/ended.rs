//! Telling other nodes what ended: rows that they read ([`revocation_cache`](crate::revocation_cache)), and on
//! PostgreSQL a notification at the commit.

use std::time::Duration;

use rotation::{SessionId, Timestamp, UserId};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter,
    sea_query::{OnConflict, Query},
    sqlx::{
        self, Executor,
        postgres::{PgListener, PgPoolOptions},
    },
};
use tokio::time::timeout;

use crate::{
    Store, StoreError,
    database::{Transaction, options::postgres},
    entity::ended_session::{Column, Entity},
    error::connecting,
};

/// Where PostgreSQL tells of ends, with commas between: a session's id in hexadecimal; or an account's, a colon, and
/// the epoch that it ended at.
const CHANNEL: &str = "keyturn_ended_sessions";
/// An id has 32 characters and an epoch ten, and a notification may have 7999 bytes.
const ENDS_PER_NOTIFICATION: usize = 150;
/// After so long without a notification the connection is asked whether it still lives: one that fell silent without a
/// reset tells nothing and never fails.
const ASK_AFTER: Duration = Duration::from_secs(10);
/// Well below the number of parameters that either database takes in one statement.
const ROWS_PER_INSERT: usize = 1000;

impl Store {
    /// Opens a connection of its own on which PostgreSQL tells of ends; `None` where that cannot be had: on SQLite, and
    /// behind a pooler, whose connections belong to a client only for a transaction.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn listen_for_ends(&self) -> Result<Option<EndListener>, StoreError> {
        let options = self.options();
        if self.is_sqlite() || options.behind_pooler {
            return Ok(None);
        }
        let listen = async {
            let own = PgPoolOptions::new()
                .max_connections(1)
                .acquire_timeout(options.timeout)
                .connect_with(postgres(options)?)
                .await?;
            let mut listener = PgListener::connect_with(&own).await?;
            listener.listen(CHANNEL).await?;
            Ok(listener)
        };
        let listener = timeout(options.timeout, listen)
            .await
            .unwrap_or(Err(sqlx::Error::PoolTimedOut))
            .map_err(connecting)?;
        Ok(Some(EndListener {
            listener,
            store: self.clone(),
        }))
    }
}

/// A connection on which PostgreSQL tells of ends.
#[derive(Debug)]
pub struct EndListener {
    listener: PgListener,
    store: Store,
}

impl EndListener {
    /// Waits for one notification and takes it in. `false`: the connection was lost, so something may have been
    /// missed, and all must be read.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn hear(&mut self, now: impl Fn() -> Timestamp) -> Result<bool, StoreError> {
        let heard = loop {
            match timeout(ASK_AFTER, self.listener.try_recv()).await {
                Ok(heard) => break heard.map_err(connecting)?,
                Err(_) => self.ask().await?,
            }
        };
        let Some(notification) = heard else {
            return Ok(false);
        };
        let ended = notification.payload().split(',');
        let accounts = ended.clone().filter_map(|end| {
            let (user, epoch) = end.split_once(':')?;
            Some((user.parse().ok()?, epoch.parse().ok()?))
        });
        let cache = self.store.ended();
        cache.add_accounts(accounts, now());
        cache.add(ended.filter_map(|id| id.parse().ok()), now());
        Ok(true)
    }

    /// Whether the connection still answers.
    async fn ask(&mut self) -> Result<(), StoreError> {
        let answer = timeout(self.store.options().timeout, self.listener.execute("SELECT 1")).await;
        answer
            .unwrap_or(Err(sqlx::Error::PoolTimedOut))
            .map_err(connecting)?;
        Ok(())
    }
}

/// Writes ends down in the transaction in which they happen; those of accounts are written by
/// [`ended_accounts::end`](crate::ended_accounts::end). PostgreSQL tells of both at the commit.
pub(crate) async fn publish(
    tx: &Transaction,
    sessions: &[SessionId],
    accounts: &[(UserId, u32)],
    at: Timestamp,
) -> Result<(), StoreError> {
    for some in sessions.chunks(ROWS_PER_INSERT) {
        let mut insert = Query::insert()
            .into_table(Entity)
            .columns([Column::SessionId, Column::EndedAt])
            .on_conflict(OnConflict::column(Column::SessionId).do_nothing().to_owned())
            .take();
        for session in some {
            insert.values_panic([session.uuid().into(), at.millis().into()]);
        }
        tx.execute(&insert).await?;
    }
    if tx.get_database_backend() == sea_orm::DbBackend::Postgres {
        let accounts = accounts.iter().map(|(user, epoch)| format!("{user}:{epoch}"));
        let ended: Vec<_> = accounts.chain(sessions.iter().map(ToString::to_string)).collect();
        for some in ended.chunks(ENDS_PER_NOTIFICATION) {
            // Hexadecimal ids and numbers, so there is nothing to escape.
            tx.execute_unprepared(&format!("SELECT pg_notify('{CHANNEL}', '{}')", some.join(",")))
                .await?;
        }
    }
    Ok(())
}

/// Forgets a batch of ends that no living access token can belong to.
pub(crate) async fn prune(
    db: &impl ConnectionTrait,
    before: Timestamp,
    batch: u64,
) -> Result<u64, StoreError> {
    let old = Query::select()
        .column(Column::SessionId)
        .from(Entity)
        .and_where(Column::EndedAt.lt(before.millis()))
        .limit(batch)
        .take();
    let deleted = Entity::delete_many()
        .filter(Column::SessionId.in_subquery(old))
        .exec(db)
        .await?;
    Ok(deleted.rows_affected)
}
