//! Accounts.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, integer, text, text_null, uuid},
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
                    .table("users")
                    .col(uuid("id").primary_key())
                    .col(text("email"))
                    .col(text("email_normalised"))
                    .col(text("password_hash"))
                    .col(text_null("display_name"))
                    .col(text("role"))
                    // Incremented when everything issued so far must end.
                    .col(integer("token_epoch").default(0))
                    .col(big_integer_null("disabled_at"))
                    .col(big_integer("created_at"))
                    .to_owned(),
            )
            .await?;
        // The database guarantees uniqueness: a hundred parallel registrations create one account.
        manager
            .create_index(
                Index::create()
                    .name("users_email_normalised_key")
                    .table("users")
                    .col("email_normalised")
                    .unique()
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("users").to_owned()).await
    }
}
