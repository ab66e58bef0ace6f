//! The actor of an event: empty for the account itself, otherwise `administrator:ID`, `operator` or `system`.
//!
//! Until now the events of administrators contained the administrator's address and browser, which the account's owner
//! could see. This migration removes both, as far as such rows can be identified.

use sea_orm_migration::{prelude::*, schema::text_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Actions that only administrators and operators perform, and session revocations whose reason names one of them.
const BY_OTHERS: &str = "kind IN ('account_disabled', 'account_enabled', 'role_changed') \
    OR (user_agent = 'keyturn, the command line' AND ip IS NULL) \
    OR (kind = 'session_revoked' AND EXISTS (SELECT 1 FROM sessions \
        WHERE sessions.user_id = security_events.user_id AND sessions.revoked_at = security_events.at \
        AND sessions.revoke_reason = 'revoked_by_operator'))";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("security_events")
                    .add_column(text_null("actor"))
                    .to_owned(),
            )
            .await?;
        // The command line used to store its name in place of a browser.
        manager
            .get_connection()
            .execute_unprepared(&format!(
                "UPDATE security_events SET actor = CASE WHEN user_agent = 'keyturn, the command line' \
                 THEN 'operator' ELSE 'administrator' END WHERE {BY_OTHERS}"
            ))
            .await?;
        manager
            .get_connection()
            .execute_unprepared(
                "UPDATE security_events SET ip = NULL, user_agent = NULL WHERE actor IS NOT NULL",
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("security_events")
                    .drop_column("actor")
                    .to_owned(),
            )
            .await
    }
}
