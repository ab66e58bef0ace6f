//! The blacklist: every refresh token that was invalidated, until it would have expired anyway.
//!
//! The narrowest table that does its work. The `jti` is a version 7 UUID, so rows arrive in the order of their key:
//! inserts stay at one end of the tree however many rows there are, and old rows can be pruned by a range of keys,
//! without an index on the expiry.

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
            // Otherwise SQLite keeps two trees: the rows by a hidden number, and an index of the key beside them.
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
