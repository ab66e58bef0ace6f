//! `keyturn backup`: copies the embedded database while the server runs.

use std::{
    fs::{self, File, OpenOptions, hard_link},
    io::ErrorKind,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use web::{
    config::{Config, sqlite_path},
    random::{Random, SystemRandom},
};

use super::{database, error::CliError};

pub(super) async fn run(file: &Path, config: &Config) -> Result<(), CliError> {
    let Some(database) = sqlite_path(&config.database.url) else {
        return refuse(
            "`keyturn backup` copies an embedded database. This one is PostgreSQL: use pg_dump, for instance \
             `pg_dump --format=custom --file=FILE DATABASE`"
                .to_owned(),
        );
    };
    if !database.is_file() {
        return refuse(format!("there is no database to copy at {}", database.display()));
    }
    if file.exists() {
        return refuse(format!(
            "{} exists already, and a backup overwrites nothing: choose another name, or move it away",
            file.display()
        ));
    }
    let store = database::connect(config).await?;
    // Under another name until it is complete: a file with the name of a backup is always a complete backup.
    let draft = Draft::beside(file)?;
    let copied = store.copy_into(&draft.0).await;
    store.close().await?;
    copied.map_err(|why| CliError::Refused(format!("{}: {why}", file.display())))?;
    File::open(&draft.0)?.sync_all()?;
    match hard_link(&draft.0, file) {
        Err(why) if why.kind() == ErrorKind::AlreadyExists => {
            return refuse(format!(
                "{} was made in the meantime; it is left as it is",
                file.display()
            ));
        }
        linked => linked?,
    }
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder)?.sync_all()?;
    }
    println!("The database is copied to {}.", file.display());
    println!(
        "Keep secrets.master (or {}) as well: without it the backup cannot be served.",
        key_file(&database).display()
    );
    Ok(())
}

fn key_file(database: &Path) -> PathBuf {
    database.with_file_name("master.key")
}

fn refuse(why: String) -> Result<(), CliError> {
    Err(CliError::Refused(why))
}

/// An empty file that only its owner can read. Removed when this is dropped.
struct Draft(PathBuf);

impl Draft {
    fn beside(file: &Path) -> Result<Self, CliError> {
        let random: &dyn Random = &SystemRandom::default();
        let mut name = file.file_name().unwrap_or_default().to_owned();
        name.push(format!(".draft-{:x}", u64::from_le_bytes(random.bytes())));
        let draft = file.with_file_name(name);
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft);
        made.map_err(|why| CliError::Refused(format!("cannot write {}: {why}", file.display())))?;
        Ok(Self(draft))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // The file may already have been removed together with its folder.
        let _ = fs::remove_file(&self.0);
    }
}
