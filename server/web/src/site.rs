//! The built files of the pages: their names, and a check that their folder belongs to this binary.
//!
//! The build names each file by a hash and writes the hashes to `hash.txt` next to the binary; pages refer to the files
//! by these names. With the folder of another build every page looks right but does not work, because its styles, its
//! script and its WebAssembly all return 404. So `keyturn serve` checks the folder before it opens a port.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use leptos::config::{Env, LeptosOptions};

use crate::config::Http;

const NAME: &str = "keyturn";
pub(crate) const PKG: &str = "pkg";

/// The file with the hashes, next to the binary.
const HASH_FILE: &str = "hash.txt";
/// The maximum number of missing files that an error names.
const NAMED: usize = 3;

/// What the rendering needs to know about the built files.
pub fn leptos_options(http: &Http) -> LeptosOptions {
    LeptosOptions::builder()
        .output_name(NAME)
        .site_root(http.site_dir.display().to_string())
        .site_pkg_dir(PKG)
        .site_addr(http.listen)
        .env(if cfg!(debug_assertions) {
            Env::DEV
        } else {
            Env::PROD
        })
        .hash_files(hash_file_exists())
        .build()
}

/// Why pages would not work.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// There is no `hash.txt`: the binary was built without the pages.
    #[error(
        "http.site_dir: there is no {}, so the names of the built files are not known; build the program and its pages \
         together with ./dev run, and keep hash.txt beside the program",
        .0.display()
    )]
    NoHashes(PathBuf),
    #[error("http.site_dir: {} cannot be read: {why}", .path.display())]
    Unreadable { path: PathBuf, why: io::Error },
    #[error(
        "http.site_dir: {} names no {kind} file; build the program and its pages together with ./dev run",
        .path.display()
    )]
    Incomplete { path: PathBuf, kind: &'static str },
    #[error(
        "http.site_dir: {} does not belong to this program: {missing} missing; name the folder that was built with it, \
         or build both together with ./dev run",
        .folder.display()
    )]
    Foreign { folder: PathBuf, missing: String },
}

/// Checks that all files exist to which pages refer, and all chunks to which those files refer.
///
/// # Errors
/// What is missing, and what to do.
pub fn check(site_dir: &Path, program: &Path) -> Result<(), SiteError> {
    let path = program.with_file_name(HASH_FILE);
    let hashes = match fs::read_to_string(&path) {
        Ok(hashes) => hashes,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Err(SiteError::NoHashes(path)),
        Err(why) => return Err(SiteError::Unreadable { path, why }),
    };
    for kind in ["js", "wasm", "css"] {
        if !lines(&hashes).any(|(found, _)| found == kind) {
            return Err(SiteError::Incomplete { path, kind });
        }
    }
    let folder = site_dir.join(PKG);
    let exists = |name: &str| folder.join(name).is_file();
    let mut missing: Vec<_> = names(&hashes).filter(|name| !exists(name)).collect();
    for (kind, hash) in lines(&hashes) {
        if matches!(kind, "split" | "manifest")
            && let Some(loader) = name_of(kind, hash)
            && let Ok(text) = fs::read_to_string(folder.join(loader))
        {
            let parts = mentions(&text, hash);
            missing.extend(parts.filter(|part| !exists(part) && !exists(&format!("{part}.wasm"))));
        }
    }
    missing.sort();
    missing.dedup();
    if missing.is_empty() {
        return Ok(());
    }
    let more = match missing.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    missing.truncate(NAMED);
    let verb = if missing.len() == 1 && more.is_empty() {
        "is"
    } else {
        "are"
    };
    Err(SiteError::Foreign {
        folder: std::path::absolute(&folder).unwrap_or(folder),
        missing: format!("{}{more} {verb}", missing.join(", ")),
    })
}

/// The names of the files that pages refer to, from the text of `hash.txt`.
pub fn names(hashes: &str) -> impl Iterator<Item = String> {
    lines(hashes).filter_map(|(kind, hash)| name_of(kind, hash))
}

fn lines(hashes: &str) -> impl Iterator<Item = (&str, &str)> {
    hashes
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(kind, hash)| (kind.trim(), hash.trim()))
}

/// As Leptos composes it (`leptos::hydration`, `leptos_meta::HashedStylesheet`).
fn name_of(kind: &str, hash: &str) -> Option<String> {
    match kind {
        "js" | "wasm" | "css" => Some(format!("{NAME}.{hash}.{kind}")),
        "split" => Some(format!("__wasm_split.{hash}.js")),
        "manifest" => Some(format!("__wasm_split_manifest.{hash}.json")),
        _ => None,
    }
}

/// The file names in a text that contain this hash.
fn mentions<'a>(text: &'a str, hash: &'a str) -> impl Iterator<Item = String> + 'a {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || "_.-".contains(c)))
        .filter(move |word| word.contains(hash))
        .map(|word| word.trim_start_matches('.').to_owned())
}

/// `cargo leptos` writes the names of the hashed files next to the binary.
fn hash_file_exists() -> bool {
    let beside = std::env::current_exe()
        .ok()
        .and_then(|exe| exe.parent().map(|folder| folder.join("hash.txt")));
    beside.is_some_and(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    const HASHES: &str = "js: aaaaaaaaaaaaaaaaaaaaaa\nwasm: aaaaaaaaaaaaaaaaaaaaaa\ncss: bbbbbbbbbbbbbbbbbbbbbb\n\
                          split: aaaaaaaaaaaaaaaaaaaaaa\nmanifest: aaaaaaaaaaaaaaaaaaaaaa\n";

    /// A binary with its `hash.txt` and a folder with all its files.
    fn build() -> (TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let (program, site) = (folder.path().join("keyturn"), folder.path().join("site"));
        fs::create_dir_all(site.join(PKG)).expect("a folder");
        fs::write(program.with_file_name(HASH_FILE), HASHES).expect("writes");
        for name in names(HASHES) {
            fs::write(site.join(PKG).join(name), "").expect("writes");
        }
        let part = "split_lab.aaaaaaaaaaaaaaaaaaaaaa.wasm";
        let loader = format!("import init from \"./keyturn.aaaaaaaaaaaaaaaaaaaaaa.js\"; load(\"{part}\");");
        fs::write(
            site.join(PKG).join("__wasm_split.aaaaaaaaaaaaaaaaaaaaaa.js"),
            loader,
        )
        .expect("writes");
        let manifest = r#"{"lab":["split_lab.aaaaaaaaaaaaaaaaaaaaaa"]}"#;
        let manifest_name = "__wasm_split_manifest.aaaaaaaaaaaaaaaaaaaaaa.json";
        fs::write(site.join(PKG).join(manifest_name), manifest).expect("writes");
        fs::write(site.join(PKG).join(part), "").expect("writes");
        (folder, program, site)
    }

    #[test]
    fn the_folder_of_the_same_build_is_accepted() {
        let (_folder, program, site) = build();
        check(&site, &program).expect("it belongs");
    }

    #[test]
    fn each_missing_file_is_named() {
        let (_folder, program, site) = build();
        let files: Vec<_> = fs::read_dir(site.join(PKG)).expect("a folder").collect();
        assert_eq!(files.len(), 6);
        for file in files {
            let file = file.expect("a file").path();
            let text = fs::read(&file).expect("reads");
            fs::remove_file(&file).expect("removes");
            let why = check(&site, &program).expect_err("a file is missing").to_string();
            let stem = file.file_stem().and_then(|name| name.to_str()).expect("a name");
            assert!(why.contains(stem) && why.contains("./dev run"), "{why}");
            assert!(!why.contains('\n'), "one line: {why}");
            fs::write(&file, text).expect("writes");
        }
        check(&site, &program).expect("all are back");
    }

    #[test]
    fn another_build_or_none_is_refused() {
        let (_folder, program, site) = build();
        let nowhere = site.join("nowhere");
        let why = check(&nowhere, &program)
            .expect_err("an empty folder")
            .to_string();
        assert!(why.contains("2 more are missing"), "{why}");

        let hash_file = program.with_file_name(HASH_FILE);
        fs::write(&hash_file, HASHES.replace("aaaa", "cccc")).expect("writes");
        let why = check(&site, &program).expect_err("another build").to_string();
        assert!(why.contains("keyturn.cccccccccccccccccccc"), "{why}");

        fs::write(&hash_file, "js: aaaaaaaaaaaaaaaaaaaaaa\n").expect("writes");
        let why = check(&site, &program).expect_err("half a list").to_string();
        assert!(why.contains("names no wasm file"), "{why}");

        fs::remove_file(&hash_file).expect("removes");
        let why = check(&site, &program).expect_err("no list");
        assert!(matches!(why, SiteError::NoHashes(_)), "{why}");
    }
}
