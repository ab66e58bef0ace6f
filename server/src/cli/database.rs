//! Opens the database and checks its schema.

use std::collections::BTreeSet;

use migrations::Migrator;
use sea_orm_migration::{
    DbErr, MigratorTrait,
    sea_orm::{ConnectionTrait, DbBackend, EntityTrait, Statement},
    seaql_migrations,
};
use store::Store;
use web::{
    accounts::mailboxes::{self, MailboxReport},
    config::{self, Config, ConfigError},
    private_files,
};

use super::error::CliError;

/// How a database's schema compares with that of this version.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Schema {
    Empty,
    Older,
    Same,
    Newer,
}

/// Opens the database for serving or for a command. An empty database gets its tables; an embedded database of an older
/// version is migrated. On PostgreSQL, where nodes of two versions may run at the same time, the operator decides when:
/// with `keyturn migrate`.
pub(super) async fn open(config: &Config) -> Result<Store, CliError> {
    let store = connect(config).await?;
    let upgrade = store.is_sqlite();
    prepare_schema(&store, upgrade).await?;
    mailboxes::fill_missing(&store)
        .await
        .map_err(CliError::Database)?;
    Ok(store)
}

/// Opens the database, migrates it to the schema of this version, and returns which accounts share a mailbox.
pub(super) async fn migrate(config: &Config) -> Result<MailboxReport, CliError> {
    let store = connect(config).await?;
    prepare_schema(&store, true).await?;
    mailboxes::fill_missing(&store).await.map_err(CliError::Database)
}

/// Compares the schema with this version's without changing anything. Also returns whether the database is SQLite.
pub(super) async fn inspect(config: &Config) -> Result<(Schema, bool), CliError> {
    if config::sqlite_path(&config.database.url).is_some_and(|file| !file.exists()) {
        return Ok((Schema::Empty, true));
    }
    let store = Store::connect(&config.database.options())
        .await
        .map_err(CliError::Database)?;
    let is_sqlite = store.is_sqlite();
    let schema = schema_of(store.queries()).await.map_err(CliError::Migration)?;
    store.close().await.map_err(CliError::Database)?;
    Ok((schema, is_sqlite))
}

pub(super) async fn connect(config: &Config) -> Result<Store, CliError> {
    if let Some(file) = config::sqlite_path(&config.database.url) {
        let failed =
            |why| ConfigError::new("database.url", format!("cannot create {}: {why}", file.display()));
        private_files::create(&file).map_err(failed)?;
    }
    let connected = Store::connect(&config.database.options()).await;
    connected.map_err(|error| {
        // PgBouncer's error message; PostgreSQL itself accepts these settings.
        if error.to_string().contains("unsupported startup parameter") {
            CliError::UnnamedPooler(error)
        } else {
            CliError::Database(error)
        }
    })
}

async fn prepare_schema(store: &Store, upgrade: bool) -> Result<(), CliError> {
    // Reads without a lock and without creating anything. Usually there is nothing to migrate, and a role that may read
    // and write rows but not create tables can then serve.
    match schema_of(store.queries()).await.map_err(CliError::Migration)? {
        Schema::Same => return Ok(()),
        Schema::Newer => return Err(CliError::SchemaNewer),
        Schema::Empty | Schema::Older if store.is_behind_pooler() => return Err(CliError::MigratePastPooler),
        Schema::Empty | Schema::Older => {}
    }
    let tx = store.begin_migration().await.map_err(CliError::Database)?;
    match schema_of(&tx).await.map_err(CliError::Migration)? {
        Schema::Same => {}
        Schema::Newer => return Err(CliError::SchemaNewer),
        Schema::Older if !upgrade => return Err(CliError::SchemaOlder),
        Schema::Empty | Schema::Older => Migrator::up(&tx, None).await.map_err(migrating)?,
    }
    tx.commit().await.map_err(CliError::Migration)
}

/// Turns SQLSTATE 42501 (insufficient privilege) into a message that says which role may migrate.
fn migrating(error: DbErr) -> CliError {
    if error.to_string().contains("permission denied") {
        CliError::MayNotCreate(error)
    } else {
        CliError::Migration(error)
    }
}

async fn schema_of(db: &impl ConnectionTrait) -> Result<Schema, DbErr> {
    if !has_history(db).await? {
        return Ok(Schema::Empty);
    }
    let applied = seaql_migrations::Entity::find().all(db).await?;
    let applied: BTreeSet<String> = applied.into_iter().map(|row| row.version).collect();
    let ours: BTreeSet<String> = Migrator::migrations()
        .iter()
        .map(|step| step.name().to_owned())
        .collect();
    Ok(compare(&applied, &ours))
}

/// Whether the database has the table of applied migrations. `Migrator` itself would create it, which needs the
/// privilege.
async fn has_history(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let backend = db.get_database_backend();
    let sql = match backend {
        DbBackend::Sqlite => "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'seaql_migrations'",
        _ => "SELECT 1 WHERE to_regclass('seaql_migrations') IS NOT NULL",
    };
    let found = db.query_one_raw(Statement::from_string(backend, sql)).await?;
    Ok(found.is_some())
}

fn compare(applied: &BTreeSet<String>, ours: &BTreeSet<String>) -> Schema {
    if applied.is_empty() {
        Schema::Empty
    } else if !applied.is_subset(ours) {
        Schema::Newer
    } else if applied == ours {
        Schema::Same
    } else {
        Schema::Older
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn a_schema_is_older_newer_or_the_same() {
        let ours = steps(&["1", "2"]);
        assert_eq!(compare(&steps(&[]), &ours), Schema::Empty);
        assert_eq!(compare(&steps(&["1"]), &ours), Schema::Older);
        assert_eq!(compare(&ours, &ours), Schema::Same);
        assert_eq!(compare(&steps(&["1", "2", "3"]), &ours), Schema::Newer);
        // The history of another branch: neither ahead nor behind.
        assert_eq!(compare(&steps(&["1", "x"]), &ours), Schema::Newer);
    }
}
