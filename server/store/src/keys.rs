//! Keys that sign access tokens, as stored: the private part is sealed before it comes here.
//!
//! A key that has ended keeps its row and loses its private part. The row is the record that answers “when did this
//! key end, and why?”, keeps its name from being given again, and grows by a few lines a year; what could be stolen is
//! gone.

use rotation::{KeyId, Timestamp};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};

use crate::{
    Store, StoreError,
    entity::signing_key::{self, Column, Entity},
};

/// What a node has to know of a key beside the key itself: small enough to be asked for twice a second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyEntry {
    pub kid: KeyId,
    /// The one algorithm that this key may be used with (RFC 8725 §3.1).
    pub alg: String,
    /// No two keys have the same: who is newer never depends on a clock that was set back.
    pub created_at: Timestamp,
    /// From when on it signs, if no newer key does.
    pub signs_from: Timestamp,
    /// When the last token that it signed ends, once its successor is known. From then on it verifies nothing. Of a key
    /// that has ended: when it did.
    pub retires_at: Option<Timestamp>,
}

/// A signing key, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    pub entry: KeyEntry,
    pub state: KeyState,
    /// Empty once the key has ended.
    pub sealed_private_key: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Published, and trusted until it retires.
    Active,
    /// Ended in its time.
    Retired,
    /// Ended at once, because it may be known to somebody else.
    Revoked,
}

impl KeyState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Retired, Self::Revoked]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

impl Store {
    /// All keys, those that have ended included, oldest first.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn signing_keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        all(self.reader()).await
    }

    /// What there is to know of the active keys without the keys themselves, oldest first.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn active_key_entries(&self) -> Result<Vec<KeyEntry>, StoreError> {
        let rows: Vec<(String, String, i64, i64, Option<i64>)> = Entity::find()
            .select_only()
            .columns([
                Column::Kid,
                Column::Alg,
                Column::CreatedAt,
                Column::SignsFrom,
                Column::RetiresAt,
            ])
            .filter(Column::State.eq(KeyState::Active.as_str()))
            .order_by_asc(Column::CreatedAt)
            .order_by_asc(Column::Kid)
            .into_tuple()
            .all(self.background_reader())
            .await?;
        let entries = rows
            .into_iter()
            .map(|(kid, alg, created_at, signs_from, retires_at)| KeyEntry {
                kid: KeyId::new(kid),
                alg,
                created_at: Timestamp::from_millis(created_at),
                signs_from: Timestamp::from_millis(signs_from),
                retires_at: retires_at.map(Timestamp::from_millis),
            });
        Ok(entries.collect())
    }

    /// The active ones among the keys with these names, sealed.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn active_keys_named(&self, kids: &[KeyId]) -> Result<Vec<StoredKey>, StoreError> {
        let kids = kids.iter().map(KeyId::as_str);
        let rows = Entity::find()
            .filter(Column::Kid.is_in(kids))
            .filter(Column::State.eq(KeyState::Active.as_str()))
            .all(self.reader())
            .await?;
        rows.into_iter().map(StoredKey::try_from).collect()
    }

    /// Hands all keys, oldest first, to `change`, and writes what it adds and changes. It removes none.
    ///
    /// Only one node at a time is in here: two that start at once on an empty database agree on one key, and a
    /// rotation that is due is done by the first that comes. If `change` fails, nothing is written.
    ///
    /// # Errors
    /// If the database is unavailable, or what `change` answers.
    pub async fn change_signing_keys<T, E>(
        &self,
        change: impl FnOnce(&mut Vec<StoredKey>) -> Result<T, E> + Send,
    ) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError>,
    {
        let tx = self.begin_exclusive().await?;
        let before = all(&tx).await?;
        let mut after = before.clone();
        let answer = change(&mut after)?;
        for key in &after {
            match before.iter().find(|old| old.entry.kid == key.entry.kid) {
                Some(old) if old == key => {}
                Some(old) => update(&tx, old, key).await?,
                None => insert(&tx, key).await?,
            }
        }
        tx.commit().await.map_err(StoreError::from)?;
        Ok(answer)
    }
}

async fn all(db: &impl ConnectionTrait) -> Result<Vec<StoredKey>, StoreError> {
    let rows = Entity::find()
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Kid)
        .all(db)
        .await?;
    rows.into_iter().map(StoredKey::try_from).collect()
}

async fn insert(db: &impl ConnectionTrait, key: &StoredKey) -> Result<(), StoreError> {
    Entity::insert(row_of(key)).exec_without_returning(db).await?;
    Ok(())
}

async fn update(db: &impl ConnectionTrait, old: &StoredKey, key: &StoredKey) -> Result<(), StoreError> {
    let updated = Entity::update_many()
        .set(row_of(key))
        .filter(Column::Kid.eq(old.entry.kid.as_str()))
        .filter(Column::State.eq(old.state.as_str()))
        .exec(db)
        .await?;
    if updated.rows_affected == 1 {
        Ok(())
    } else {
        // The lock was held by nobody else, so somebody went past it.
        Err(StoreError::inconsistent("signing_keys", "state", &key.entry.kid))
    }
}

fn row_of(key: &StoredKey) -> signing_key::ActiveModel {
    let entry = key.entry.clone();
    signing_key::ActiveModel {
        kid: Set(entry.kid.as_str().to_owned()),
        alg: Set(entry.alg),
        sealed_private_key: Set(key.sealed_private_key.clone()),
        state: Set(key.state.as_str().to_owned()),
        created_at: Set(entry.created_at.millis()),
        signs_from: Set(entry.signs_from.millis()),
        retires_at: Set(entry.retires_at.map(Timestamp::millis)),
    }
}

impl TryFrom<signing_key::Model> for StoredKey {
    type Error = StoreError;

    fn try_from(row: signing_key::Model) -> Result<Self, StoreError> {
        let state = KeyState::parse(&row.state)
            .ok_or_else(|| StoreError::inconsistent("signing_keys", "state", &row.kid))?;
        Ok(Self {
            entry: KeyEntry {
                kid: KeyId::new(row.kid),
                alg: row.alg,
                created_at: Timestamp::from_millis(row.created_at),
                signs_from: Timestamp::from_millis(row.signs_from),
                retires_at: row.retires_at.map(Timestamp::from_millis),
            },
            state,
            sealed_private_key: row.sealed_private_key,
        })
    }
}
