//! The security events of an account, for its owner to read.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, text, text_null, uuid, uuid_null},
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
                    .table("security_events")
                    .col(uuid("id").primary_key())
                    .col(uuid("user_id"))
                    .col(uuid_null("session_id"))
                    .col(text("kind"))
                    .col(big_integer("at"))
                    .col(text_null("ip"))
                    .col(text_null("user_agent"))
                    .col(text_null("detail"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("security_events_user_id_fkey")
                            .from("security_events", "user_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        // The id is a version 7 UUID, so this index reads a user's timeline in chronological order.
        manager
            .create_index(
                Index::create()
                    .name("security_events_user_id_id_idx")
                    .table("security_events")
                    .col("user_id")
                    .col("id")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("security_events").to_owned())
            .await
    }
}
