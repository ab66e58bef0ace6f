//! One account per mailbox: a second unique key of accounts, which all spellings of an address share.
//!
//! The column may be empty. Addresses in ASCII are their own mailbox. The others need Unicode tables, so the server
//! fills them in after this migration. It skips those whose mailbox already has an account, so no account is lost.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = ColumnDef::new("mailbox").text().null().to_owned();
        manager
            .alter_table(Table::alter().table("users").add_column(column).to_owned())
            .await?;
        let bytes = match manager.get_database_backend() {
            DbBackend::Sqlite => "length(CAST(email_normalised AS BLOB))",
            _ => "octet_length(email_normalised)",
        };
        let fill =
            format!("UPDATE users SET mailbox = email_normalised WHERE {bytes} = length(email_normalised)");
        manager.get_connection().execute_unprepared(&fill).await?;
        let unique = Index::create()
            .name("users_mailbox_key")
            .table("users")
            .col("mailbox")
            .unique()
            .to_owned();
        manager.create_index(unique).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_index(Index::drop().name("users_mailbox_key").table("users").to_owned())
            .await?;
        manager
            .alter_table(Table::alter().table("users").drop_column("mailbox").to_owned())
            .await
    }
}
