#![doc = include_str!("../README.md")]

use sea_orm_migration::prelude::*;

mod m20261121_000001_users;
mod m20261121_000002_sessions;
mod m20261121_000003_token_blacklist;
mod m20261121_000004_security_events;
mod m20261121_000005_signing_keys;
mod m20261121_000006_ended_sessions;
mod m20261130_000007_session_confirmed_at;
mod m20261130_000008_ended_accounts;
mod m20261130_000009_event_actor;
mod m20261130_000010_mailboxes;
mod m20261130_000011_sign_in_failures;
mod m20261130_000012_write_probe;

/// Migrates a database to the current schema.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_users::Migration),
            Box::new(m20261121_000002_sessions::Migration),
            Box::new(m20261121_000003_token_blacklist::Migration),
            Box::new(m20261121_000004_security_events::Migration),
            Box::new(m20261121_000005_signing_keys::Migration),
            Box::new(m20261121_000006_ended_sessions::Migration),
            Box::new(m20261130_000007_session_confirmed_at::Migration),
            Box::new(m20261130_000008_ended_accounts::Migration),
            Box::new(m20261130_000009_event_actor::Migration),
            Box::new(m20261130_000010_mailboxes::Migration),
            Box::new(m20261130_000011_sign_in_failures::Migration),
            Box::new(m20261130_000012_write_probe::Migration),
        ]
    }
}
