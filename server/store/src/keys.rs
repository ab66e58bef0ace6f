//! Keys that sign access tokens, as stored: the private part is sealed before it comes here.

use rotation::{KeyId, Timestamp};
use sea_orm::{EntityTrait, QueryOrder, Set, sea_query::OnConflict};

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
            .all(self.writer())
            .await?;
        Ok(rows.into_iter().map(StoredKey::from).collect())
    }

    /// # Errors
    /// If the database is unavailable.
    pub async fn add_signing_key(&self, key: &StoredKey) -> Result<(), StoreError> {
        let row = signing_key::ActiveModel {
            kid: Set(key.kid.as_str().to_owned()),
            alg: Set(key.alg.clone()),
            sealed_private_key: Set(key.sealed_private_key.clone()),
            state: Set(ACTIVE.to_owned()),
            created_at: Set(key.created_at.millis()),
            signs_from: Set(key.signs_from.millis()),
            retires_at: Set(None),
        };
        let unless_there = OnConflict::column(Column::Kid).do_nothing().to_owned();
        Entity::insert(row)
            .on_conflict(unless_there)
            .exec_without_returning(self.writer())
            .await?;
        Ok(())
    }
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
