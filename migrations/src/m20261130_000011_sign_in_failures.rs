//! Counts failed sign-ins, shared by all nodes.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, integer, uuid, uuid_null},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("sign_in_failures")
                    // The subject of the counter: an account's id, or the keyed hash of an address without an account
                    // or of a browser. No entry names a person without an account.
                    .col(uuid("key").primary_key())
                    .col(uuid_null("user_id"))
                    // Attempts since the last success, including those whose check is still running.
                    .col(integer("failures"))
                    .col(big_integer("next_attempt_at"))
                    .col(big_integer("last_attempt_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("sign_in_failures_user_id_fkey")
                            .from("sign_in_failures", "user_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        for (name, column) in [
            ("sign_in_failures_user_id_idx", "user_id"),
            ("sign_in_failures_last_attempt_at_idx", "last_attempt_at"),
        ] {
            let index = Index::create()
                .name(name)
                .table("sign_in_failures")
                .col(column)
                .to_owned();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("sign_in_failures").to_owned())
            .await
    }
}
