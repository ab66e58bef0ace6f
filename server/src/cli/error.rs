//! Why a command failed.

use std::net::SocketAddr;

use store::StoreError;
use web::{config::ConfigError, state::StartError};

use super::findings::Findings;

/// Why the process stopped. One line each.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error("configuration: {0}")]
    Config(#[from] ConfigError),

    #[error("configuration: {0}")]
    Check(Findings),
    #[error("configuration: database.url: {0}")]
    Database(StoreError),
    #[error(
        "configuration: database.url: this server refuses our settings ({0}); if it is PgBouncer with pool_mode = transaction, set database.pooler = \"transaction\""
    )]
    UnnamedPooler(StoreError),
    #[error(
        "the database does not have the schema of this version, and migrations cannot run through a pooler; run `keyturn migrate` with the address of PostgreSQL itself and database.pooler = \"none\""
    )]
    MigratePastPooler,
    #[error("migration: {0}")]
    Migration(sea_orm_migration::DbErr),
    #[error(
        "the database has no tables, and this role may not create them; run `keyturn migrate` as the owner of the schema ({0})"
    )]
    MayNotCreate(sea_orm_migration::DbErr),
    #[error(
        "the database has the schema of a newer version of Keyturn; start that version, or restore a backup"
    )]
    SchemaNewer,
    #[error(
        "the database has the schema of an older version of Keyturn; bring it up to date with: keyturn migrate"
    )]
    SchemaOlder,
    #[error("configuration: {key}: cannot listen on {address}: {why}")]
    Listen {
        key: &'static str,
        address: SocketAddr,
        why: std::io::Error,
    },
    #[error("configuration: {0}")]
    Site(#[from] web::site::SiteError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("metrics: {0}")]
    Metrics(#[from] web::telemetry::MetricsError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Refused(String),
    #[error("keys: {0}")]
    Keys(#[from] web::tokens::keys::KeyError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}
