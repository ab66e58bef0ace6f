//! Whether the database does what it says: a commit that another connection sees.

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

use crate::{
    Store, StoreError,
    entity::write_probe::{Column, Entity},
};

/// The row's only id.
const ROW: i32 = 1;

impl Store {
    /// Writes, commits, and reads what was written on another connection. A database that is full or read-only fails
    /// the write; one that takes commits without keeping them fails the reading.
    ///
    /// # Errors
    /// If the database is unavailable, or the commit cannot be seen.
    pub async fn probe(&self) -> Result<(), StoreError> {
        let tx = self.background_writer().begin().await?;
        Entity::update_many()
            .col_expr(Column::Beat, Expr::col(Column::Beat).add(1))
            .filter(Column::Id.eq(ROW))
            .exec(&tx)
            .await?;
        let written = beat(&tx).await?;
        tx.commit().await?;
        // Another node may have counted on in the meantime.
        if written.is_some() && beat(self.reader()).await? >= written {
            Ok(())
        } else {
            Err(StoreError::inconsistent("write_probe", "beat", ROW))
        }
    }
}

async fn beat(db: &impl ConnectionTrait) -> Result<Option<i64>, StoreError> {
    let beat = Entity::find_by_id(ROW)
        .select_only()
        .column(Column::Beat)
        .into_tuple()
        .one(db)
        .await?;
    Ok(beat)
}
