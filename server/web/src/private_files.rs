//! Private files, which only their owner can read: the embedded database and the master secret.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, hard_link},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

const FOR_THE_OWNER: u32 = 0o600;

/// Makes sure that a file exists. A new file is readable only by its owner.
///
/// # Errors
/// The error of the system.
pub fn make(path: &Path) -> io::Result<File> {
    make_folder(path)?;
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(FOR_THE_OWNER)
        .open(path)
}

/// Writes a file that must not exist yet, completely or not at all; `false` if it exists already.
///
/// # Errors
/// The error of the system.
pub fn write_once(path: &Path, draft: &Path, text: &[u8]) -> io::Result<bool> {
    make_folder(path)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(FOR_THE_OWNER)
        .open(draft)?;
    let linked = file
        .write_all(text)
        .and_then(|()| file.sync_all())
        .and_then(|()| hard_link(draft, path));
    fs::remove_file(draft)?;
    match linked {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether anyone but the owner may read or write a file.
///
/// # Errors
/// The error of the system.
pub fn is_open_to_others(path: &Path) -> io::Result<bool> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

fn make_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)
        }
        _ => Ok(()),
    }
}
