//! The blacklist: every invalidated refresh token, until its expiry.
//!
//! The table is as narrow as possible. The `jti` is a version 7 UUID, so rows arrive in key order. Inserts stay at one
//! end of the tree, however many rows there are. A range of keys selects old rows for pruning, without an index on the
//! expiry.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, integer, text, uuid},
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
            .table("token_blacklist")
            .col(uuid("jti").primary_key())
            .col(uuid("session_id"))
            .col(integer("generation"))
            .col(text("reason"))
            .col(big_integer("blacklisted_at"))
            .col(big_integer("expires_at"))
            .to_owned();
        match manager.get_database_backend() {
            // Otherwise SQLite keeps two trees: the rows by a hidden number, and a separate index of the key.
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
            .drop_table(Table::drop().table("token_blacklist").to_owned())
            .await
    }
}
