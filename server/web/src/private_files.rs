//! Private files, which only their owner can read: the embedded database and the master secret.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

use tempfile::NamedTempFile;

/// Makes sure that a file exists. A new file is readable only by its owner.
///
/// # Errors
/// The error of the system.
pub fn create(path: &Path) -> io::Result<File> {
    create_folder_of(path)?;
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}

/// Writes a file that must not exist yet, completely or not at all; `false` if it exists already.
///
/// # Errors
/// The error of the system.
pub fn write_once(path: &Path, text: &[u8]) -> io::Result<bool> {
    // Readable only by its owner, as every temporary file of this library.
    let mut draft = NamedTempFile::new_in(create_folder_of(path)?)?;
    draft.write_all(text)?;
    draft.as_file().sync_all()?;
    match draft.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(failed) if failed.error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(failed) => Err(failed.error),
    }
}

/// Whether anyone but the owner may read or write a file.
///
/// # Errors
/// The error of the system.
pub fn is_open_to_others(path: &Path) -> io::Result<bool> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

fn create_folder_of(path: &Path) -> io::Result<&Path> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
        return Ok(Path::new("."));
    };
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    Ok(folder)
}
