//! Keys that sign access tokens, as stored: the private part is sealed before it comes here.

use rotation::{KeyId, Timestamp};
use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait, QueryOrder, Set};

use crate::{
    Store, StoreError,
    entity::signing_key::{self, Column, Entity},
};

/// A signing key, sealed.
#[derive(Debug, Clone)]
pub struct StoredKey {
    pub kid: KeyId,
    /// The one algorithm that this key may be used with (RFC 8725 §3.1).
    pub alg: String,
    pub sealed_private_key: Vec<u8>,
    pub created_at: Timestamp,
    pub signs_from: Timestamp,
}

const ACTIVE: &str = "active";

impl Store {
    /// All keys, in an order on which every node agrees: the first of an algorithm signs.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn signing_keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        let rows = Entity::find()
            .order_by_asc(Column::CreatedAt)
            .order_by_asc(Column::Kid)
            .all(self.reader())
            .await?;
        Ok(rows.into_iter().map(StoredKey::from).collect())
    }

    /// Adds `key` if there is none yet, and answers all keys. Of several nodes that start at once on an empty database
    /// one adds its key, and the others find it.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn signing_keys_or_first(&self, key: &StoredKey) -> Result<Vec<StoredKey>, StoreError> {
        let tx = self.begin_alone().await?;
        if Entity::find().count(&tx).await? == 0 {
            insert(&tx, key).await?;
        }
        let rows = Entity::find()
            .order_by_asc(Column::CreatedAt)
            .order_by_asc(Column::Kid)
            .all(&tx)
            .await?;
        tx.commit().await?;
        Ok(rows.into_iter().map(StoredKey::from).collect())
    }
}

async fn insert(db: &impl ConnectionTrait, key: &StoredKey) -> Result<(), StoreError> {
    let row = signing_key::ActiveModel {
        kid: Set(key.kid.as_str().to_owned()),
        alg: Set(key.alg.clone()),
        sealed_private_key: Set(key.sealed_private_key.clone()),
        state: Set(ACTIVE.to_owned()),
        created_at: Set(key.created_at.millis()),
        signs_from: Set(key.signs_from.millis()),
        retires_at: Set(None),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

impl From<signing_key::Model> for StoredKey {
    fn from(row: signing_key::Model) -> Self {
        Self {
            kid: KeyId::new(row.kid),
            alg: row.alg,
            sealed_private_key: row.sealed_private_key,
            created_at: Timestamp::from_millis(row.created_at),
            signs_from: Timestamp::from_millis(row.signs_from),
        }
    }
}
