//! Health probe of the database: a commit must be visible on another connection.

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

use crate::{
    Store, StoreError,
    entity::write_probe::{Column, Entity},
};

/// The id of the only row.
const ROW: i32 = 1;

impl Store {
    /// Writes, commits, and reads the written value on another connection. A full or read-only database fails the
    /// write. A database that accepts commits without keeping them fails the read.
    ///
    /// # Errors
    /// If the database is unavailable, or the commit is not visible.
    pub async fn probe(&self) -> Result<(), StoreError> {
        let tx = self.background_writer().begin().await?;
        Entity::update_many()
            .col_expr(Column::Beat, Expr::col(Column::Beat).add(1))
            .filter(Column::Id.eq(ROW))
            .exec(&tx)
            .await?;
        let written = increment(&tx).await?;
        tx.commit().await?;
        // Another node may have incremented it in the meantime.
        if written.is_some() && increment(self.reader()).await? >= written {
            Ok(())
        } else {
            Err(StoreError::inconsistent("write_probe", "beat", ROW))
        }
    }
}

async fn increment(db: &impl ConnectionTrait) -> Result<Option<i64>, StoreError> {
    let beat = Entity::find_by_id(ROW)
        .select_only()
        .column(Column::Beat)
        .into_tuple()
        .one(db)
        .await?;
    Ok(beat)
}
