//! When the live refresh token of a session was first used.
//!
//! The column is nullable and has no default. Neither database rewrites a row, so a large table takes no longer than an
//! empty one. Rows that were confirmed before keep `confirmed = true` without a time. They are read as confirmed at
//! their last rotation, which is the earliest possible time. The next rotation of each session replaces that.

use sea_orm_migration::{prelude::*, schema::big_integer_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("sessions")
                    .add_column(big_integer_null("confirmed_at"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("sessions")
                    .drop_column("confirmed_at")
                    .to_owned(),
            )
            .await
    }
}
