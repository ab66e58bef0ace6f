//! Sessions that ended a short while ago, known without asking the database.
//!
//! An access token lives for minutes after its session has ended. Every process therefore keeps the sessions that
//! ended within that time, and refuses their access tokens. It learns of an end in three ways: it ended the session
//! itself; PostgreSQL tells it (`LISTEN`/`NOTIFY`); or it reads the table `ended_sessions`, which every end is written
//! to in its own transaction. The reading alone would do: it takes the whole window each time, so a commit that
//! arrives late is not missed. The other two only make it faster.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use rotation::{SessionId, Timestamp};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, OnConflict},
    sqlx::{
        self, Executor,
        postgres::{PgListener, PgPoolOptions},
    },
};
use tokio::time::timeout;

use crate::{
    Store, StoreError,
    database::{Transaction, options::postgres},
    entity::ended_session::{ActiveModel, Column, Entity},
    error::connecting,
};

/// Where PostgreSQL tells of ends: session ids in hexadecimal, with commas between.
const CHANNEL: &str = "keyturn_ended_sessions";
/// An id has 32 characters, and a notification may have 7999 bytes.
const IDS_PER_NOTIFICATION: usize = 200;
/// After so long without a notification the connection is asked whether it still lives: one that fell silent without a
/// reset tells nothing and never fails.
const ASK_AFTER: Duration = Duration::from_secs(10);
/// Well below the number of parameters that either database takes in one statement.
const ROWS_PER_INSERT: usize = 1000;

/// The ends that this process knows of, with their moments.
#[derive(Debug, Default)]
pub(crate) struct EndedSessions(RwLock<HashMap<SessionId, Timestamp>>);

impl EndedSessions {
    fn contains(&self, session: SessionId) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.contains_key(&session)
    }

    pub(crate) fn add(&self, sessions: impl IntoIterator<Item = SessionId>, at: Timestamp) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.extend(sessions.into_iter().map(|session| (session, at)));
    }

    /// Adds what was read and forgets what lies before `since`. What is known and was not read stays: it was learned
    /// while the reading was under way.
    fn merge(&self, read: Vec<(SessionId, Timestamp)>, since: Timestamp) -> usize {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.extend(read);
        known.retain(|_, at| *at >= since);
        known.len()
    }
}

impl Store {
    /// Whether this process knows that the session has ended. Asks no database.
    pub fn has_ended(&self, session: SessionId) -> bool {
        self.ended().contains(session)
    }

    /// Reads all ends since a moment, and answers how many are known now.
    ///
    /// # Errors
    /// If the database is unavailable; then what is known stays.
    pub async fn read_ended_sessions(&self, since: Timestamp) -> Result<usize, StoreError> {
        let rows = Entity::find()
            .filter(Column::EndedAt.gte(since.millis()))
            .all(self.background_reader())
            .await?;
        let read = rows
            .into_iter()
            .map(|row| {
                (
                    SessionId::from_uuid(row.session_id),
                    Timestamp::from_millis(row.ended_at),
                )
            })
            .collect();
        Ok(self.ended().merge(read, since))
    }

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
        let ids = notification.payload().split(',');
        self.store
            .ended()
            .add(ids.filter_map(|id| id.parse().ok()), now());
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

/// Writes ends down in the transaction in which they happen. PostgreSQL tells of them at the commit.
pub(crate) async fn publish(
    tx: &Transaction,
    sessions: &[SessionId],
    at: Timestamp,
) -> Result<(), StoreError> {
    for some in sessions.chunks(ROWS_PER_INSERT) {
        let rows = some.iter().map(|session| ActiveModel {
            session_id: Set(session.uuid()),
            ended_at: Set(at.millis()),
        });
        let unless_there = OnConflict::column(Column::SessionId).do_nothing().to_owned();
        Entity::insert_many(rows)
            .on_conflict(unless_there)
            .exec_without_returning(tx)
            .await?;
    }
    if tx.get_database_backend() == sea_orm::DbBackend::Postgres {
        for some in sessions.chunks(IDS_PER_NOTIFICATION) {
            let ids: Vec<_> = some.iter().map(ToString::to_string).collect();
            // The ids are hexadecimal, so there is nothing to escape.
            tx.execute_unprepared(&format!("SELECT pg_notify('{CHANNEL}', '{}')", ids.join(",")))
                .await?;
        }
    }
    Ok(())
}

/// Forgets ends that no living access token can belong to.
pub(crate) async fn prune(db: &impl ConnectionTrait, before: Timestamp) -> Result<u64, StoreError> {
    let deleted = Entity::delete_many()
        .filter(Expr::col(Column::EndedAt).lt(before.millis()))
        .exec(db)
        .await?;
    Ok(deleted.rows_affected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(number: u8) -> SessionId {
        SessionId::new(Timestamp::from_secs(1_790_000_000), [number; 10])
    }

    #[test]
    fn what_was_learned_during_a_reading_stays_and_what_is_old_goes() {
        let known = EndedSessions::default();
        known.add([session(1)], Timestamp::from_secs(50));
        known.add([session(2)], Timestamp::from_secs(150));
        let left = known.merge(
            vec![(session(3), Timestamp::from_secs(120))],
            Timestamp::from_secs(100),
        );
        assert_eq!(left, 2);
        assert!(!known.contains(session(1)));
        assert!(known.contains(session(2)));
        assert!(known.contains(session(3)));
    }
}
