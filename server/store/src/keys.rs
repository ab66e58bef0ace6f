//! Keys that sign access tokens, as stored. The caller seals the private part before it reaches this crate.
//!
//! A retired or revoked key keeps its row but loses its private part, so nothing remains to steal. The row records when
//! the key ended and why, prevents reuse of its name, and adds only a few rows a year.

use rotation::{KeyId, Timestamp};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};

use crate::{
    Store, StoreError,
    entity::signing_key::{self, Column, Entity},
};

/// A key's metadata, without the key itself: small enough to be queried twice a second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyEntry {
    /// The key's id.
    pub kid: KeyId,
    /// The only algorithm that this key may be used with (RFC 8725 §3.1).
    pub alg: String,
    /// Unique: which key is newer never depends on a clock that was set back.
    pub created_at: Timestamp,
    /// From when on it signs, unless a newer key does.
    pub signs_from: Timestamp,
    /// When the last token that it signed expires, once its successor is known. From then on it verifies nothing. For
    /// an ended key: when it ended.
    pub retires_at: Option<Timestamp>,
}

/// A signing key, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// The key's id and material.
    pub entry: KeyEntry,
    /// What it is used for now.
    pub state: KeyState,
    /// Empty once the key has ended.
    pub sealed_private_key: Vec<u8>,
}

/// The state of a signing key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Published, and trusted until it retires.
    Active,
    /// Ended on schedule.
    Retired,
    /// Ended immediately, because its private part may be known to someone else.
    Revoked,
}

impl KeyState {
    /// The name in the database.
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
    /// All keys, including ended ones, oldest first.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn signing_keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        all(self.reader()).await
    }

    /// The metadata of the active keys, oldest first.
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

    /// The active keys among those with these names, sealed.
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

    /// Passes all keys, oldest first, to `change`, and writes what it adds and changes. It deletes none.
    ///
    /// Only one node at a time runs this. Two nodes that start at the same time on an empty database agree on one key,
    /// and the first node performs a rotation that is due. If `change` fails, nothing is written.
    ///
    /// # Errors
    /// If the database is unavailable, or the error of `change`.
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
        // This transaction holds the lock, so the row was changed without it.
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
