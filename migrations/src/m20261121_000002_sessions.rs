//! Sessions: one row per login. Refresh, logout and reuse detection contend for it.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, boolean, integer, text, text_null, uuid, uuid_null},
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
                    .table("sessions")
                    .col(uuid("id").primary_key())
                    .col(uuid("user_id"))
                    .col(integer("token_epoch"))
                    .col(integer("generation"))
                    .col(uuid("current_jti"))
                    .col(uuid_null("previous_jti"))
                    .col(big_integer("rotated_at"))
                    .col(boolean("confirmed"))
                    // Everything that the live refresh token is made of, so that it can be signed again byte by byte.
                    .col(text("refresh_kid"))
                    .col(big_integer("refresh_issued_at"))
                    .col(big_integer("refresh_expires_at"))
                    .col(big_integer("absolute_expires_at"))
                    .col(boolean("remember"))
                    .col(big_integer("created_at"))
                    .col(big_integer("last_used_at"))
                    .col(big_integer_null("revoked_at"))
                    .col(text_null("revoke_reason"))
                    .col(text_null("user_agent"))
                    .col(text_null("ip"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("sessions_user_id_fkey")
                            .from("sessions", "user_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("sessions_current_jti_key")
                    .table("sessions")
                    .col("current_jti")
                    .unique()
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("sessions_user_id_idx")
                    .table("sessions")
                    .col("user_id")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("sessions").to_owned())
            .await
    }
}
