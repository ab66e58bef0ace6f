//! Recently revoked sessions, which every node reads repeatedly.
//!
//! This is a separate table, because nodes read all of it twice a second. It holds only sessions whose access tokens
//! may still be valid. It outlives the rows of deleted accounts, and it costs the large tables no index.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, uuid},
    sea_orm::DbBackend,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("ended_sessions")
            .col(uuid("session_id").primary_key())
            .col(big_integer("ended_at"))
            .to_owned();
        match manager.get_database_backend() {
            DbBackend::Sqlite => {
                let without_rowid = format!("{} WITHOUT ROWID", table.to_string(SqliteQueryBuilder));
                manager
                    .get_connection()
                    .execute_unprepared(&without_rowid)
                    .await?;
                Ok(())
            }
            _ => manager.create_table(table).await,
        }
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("ended_sessions").to_owned())
            .await
    }
}
