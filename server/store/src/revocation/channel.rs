//! Publishes revocations to other nodes: rows that they read ([`cache`](super::cache)), and on
//! PostgreSQL also a notification at the commit.

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

/// The PostgreSQL notification channel. A payload is a comma-separated list. An entry is a session id in hexadecimal,
/// or an account id, a colon, and the epoch at which it was revoked.
const CHANNEL: &str = "keyturn_ended_sessions";
/// An id has 32 characters and an epoch ten, and a notification may have 7999 bytes.
const REVOCATIONS_PER_NOTIFICATION: usize = 150;
/// After this long without a notification the connection is tested. A connection that goes silent without a reset
/// delivers nothing and never fails.
const TEST_AFTER: Duration = Duration::from_secs(10);
/// Well below the maximum number of parameters of one statement in either database.
const ROWS_PER_INSERT: usize = 1000;

impl Store {
    /// Opens a dedicated connection for PostgreSQL's revocation notifications. `None` where they are unavailable: on
    /// SQLite, and behind a pooler, whose connections belong to a client only for one transaction.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn listen_for_revocations(&self) -> Result<Option<RevocationListener>, StoreError> {
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
        Ok(Some(RevocationListener {
            listener,
            store: self.clone(),
        }))
    }
}

/// A connection that receives PostgreSQL's revocation notifications.
#[derive(Debug)]
pub struct RevocationListener {
    listener: PgListener,
    store: Store,
}

impl RevocationListener {
    /// Waits for one notification and applies it. `false`: the connection was lost, so notifications may have been
    /// missed, and everything must be read again.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn recv(&mut self, now: impl Fn() -> Timestamp) -> Result<bool, StoreError> {
        let heard = loop {
            match timeout(TEST_AFTER, self.listener.try_recv()).await {
                Ok(heard) => break heard.map_err(connecting)?,
                Err(_) => self.test_connection().await?,
            }
        };
        let Some(notification) = heard else {
            return Ok(false);
        };
        let revoked = notification.payload().split(',');
        let accounts = revoked.clone().filter_map(|end| {
            let (user, epoch) = end.split_once(':')?;
            Some((user.parse().ok()?, epoch.parse().ok()?))
        });
        let cache = self.store.revocation_cache();
        cache.add_accounts(accounts, now());
        cache.add(revoked.filter_map(|id| id.parse().ok()), now());
        Ok(true)
    }

    /// Tests whether the connection still responds.
    async fn test_connection(&mut self) -> Result<(), StoreError> {
        let answer = timeout(self.store.options().timeout, self.listener.execute("SELECT 1")).await;
        answer
            .unwrap_or(Err(sqlx::Error::PoolTimedOut))
            .map_err(connecting)?;
        Ok(())
    }
}

/// Writes revoked sessions in the transaction that revokes them. Revoked accounts are written by
/// [`accounts::revoke`](super::accounts::revoke). PostgreSQL notifies listeners of both at the commit.
pub(crate) async fn publish(
    tx: &Transaction,
    sessions: &[SessionId],
    accounts: &[(UserId, u32)],
    at: Timestamp,
) -> Result<(), StoreError> {
    for chunk in sessions.chunks(ROWS_PER_INSERT) {
        let mut insert = Query::insert()
            .into_table(Entity)
            .columns([Column::SessionId, Column::EndedAt])
            .on_conflict(OnConflict::column(Column::SessionId).do_nothing().to_owned())
            .take();
        for session in chunk {
            insert.values_panic([session.uuid().into(), at.millis().into()]);
        }
        tx.execute(&insert).await?;
    }
    if tx.get_database_backend() == sea_orm::DbBackend::Postgres {
        let accounts = accounts.iter().map(|(user, epoch)| format!("{user}:{epoch}"));
        let revoked: Vec<_> = accounts.chain(sessions.iter().map(ToString::to_string)).collect();
        for chunk in revoked.chunks(REVOCATIONS_PER_NOTIFICATION) {
            // Hexadecimal ids and numbers, so no escaping is needed.
            tx.execute_unprepared(&format!("SELECT pg_notify('{CHANNEL}', '{}')", chunk.join(",")))
                .await?;
        }
    }
    Ok(())
}

/// Deletes a batch of revocations that no valid access token can belong to.
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
