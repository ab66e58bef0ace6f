//! The server does not start with the pages of another build.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::support::{Db, process::Deployment};

const HASHES: &str =
    "js: aaaaaaaaaaaaaaaaaaaaaa\nwasm: aaaaaaaaaaaaaaaaaaaaaa\ncss: bbbbbbbbbbbbbbbbbbbbbb\n";

/// The binary as `./dev` builds it: with the list of file names next to it.
fn built() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let program = folder.path().join("keyturn");
    fs::hard_link(env!("CARGO_BIN_EXE_keyturn"), &program).expect("on the same file system");
    fs::write(folder.path().join("hash.txt"), HASHES).expect("writes");
    (folder, program)
}

fn site(folder: &Path, hashes: &str) -> String {
    let site = folder.join("site");
    fs::create_dir_all(site.join("pkg")).expect("a folder");
    for name in web::site::names(hashes) {
        fs::write(site.join("pkg").join(name), "").expect("writes");
    }
    site.display().to_string()
}

#[tokio::test]
async fn a_site_folder_of_another_build_is_a_startup_error() {
    let (folder, program) = built();
    let db = Db::sqlite();
    for (site_dir, missing) in [
        (
            site(folder.path(), &HASHES.replace("aaaa", "cccc")),
            "keyturn.aaaaaaaaaaaaaaaaaaaaaa.js",
        ),
        ("no/such/folder".to_owned(), "keyturn.bbbbbbbbbbbbbbbbbbbbbb.css"),
    ] {
        let complaint = Deployment::new(&db)
            .program(program.clone())
            .with("KEYTURN__HTTP__SITE_DIR", &site_dir)
            .stderr_of(&["serve", "--port", "0"], "")
            .await;
        for part in [
            "http.site_dir",
            "does not belong to this program",
            missing,
            "./dev run",
        ] {
            assert!(complaint.contains(part), "{part} is not in {complaint}");
        }
        assert_eq!(complaint.trim().lines().count(), 1, "{complaint}");
    }
    assert!(
        !Path::new(db.url.trim_start_matches("sqlite://")).exists(),
        "nothing was made"
    );
}

#[tokio::test]
async fn the_folder_of_the_same_build_serves_its_files() {
    let (folder, program) = built();
    let db = Db::sqlite();
    let node = Deployment::new(&db)
        .program(program)
        .with("KEYTURN__HTTP__SITE_DIR", site(folder.path(), HASHES))
        .node()
        .await;
    let page = node.send("GET", "/login", None, "").await;
    assert_eq!(page.status, 200);
    for name in web::site::names(HASHES) {
        assert!(page.text.contains(&name), "the page refers to {name}");
        assert_eq!(
            node.send("GET", &format!("/pkg/{name}"), None, "").await.status,
            200,
            "{name}"
        );
    }
}
