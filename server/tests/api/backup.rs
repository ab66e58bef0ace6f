//! Backup and restore while the server runs: `keyturn backup` for SQLite, `pg_dump` for PostgreSQL.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::json;
use tempfile::TempDir;

use crate::support::{
    Db, PASSWORD,
    process::{Deployment, NodeProcess, NodeResponse, free_address},
};

/// A browser that refreshes without a pause until it is told to stop; returns its newest response.
async fn refresh_until(
    stop: Arc<AtomicBool>,
    node: Arc<NodeProcess>,
    mut newest: NodeResponse,
) -> (usize, NodeResponse) {
    let mut refreshes = 0;
    while !stop.load(Ordering::Relaxed) {
        newest = refreshed(&node, &newest).await;
        refreshes += 1;
    }
    (refreshes, newest)
}

async fn refreshed(node: &NodeProcess, before: &NodeResponse) -> NodeResponse {
    let answer = node.refresh(before).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer
}

/// A deployment whose sessions may be refreshed without a pause.
fn busy(db: &Db) -> Deployment {
    Deployment::new(db).with("KEYTURN__LIMITS__REFRESHES_PER_MINUTE", "1000000")
}

async fn register(node: &NodeProcess, email: &str) -> NodeResponse {
    let body = json!({ "email": email, "password": PASSWORD });
    let answer = node.post("/api/auth/register", None, &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer
}

fn access(answer: &NodeResponse) -> String {
    answer.json()["access_token"]
        .as_str()
        .expect("a token")
        .to_owned()
}

/// Makes a backup under load, continues for a while, and starts a server on the restored backup.
async fn back_up_and_restore<F: Future<Output = ()>>(
    deployment: &Deployment,
    restored: Deployment,
    back_up: impl FnOnce() -> F,
    restore: impl FnOnce(),
) {
    let node = Arc::new(deployment.node().await);
    let ada = register(&node, "ada@example.com").await;
    let bob = register(&node, "bob@example.com").await;
    let mut carol = register(&node, "carol@example.com").await;

    let stop = Arc::new(AtomicBool::new(false));
    let traffic = [
        tokio::spawn(refresh_until(Arc::clone(&stop), Arc::clone(&node), ada)),
        tokio::spawn(refresh_until(Arc::clone(&stop), Arc::clone(&node), bob)),
    ];
    back_up().await;
    // All of this is lost, together with the refreshes since the backup.
    for _ in 0..3 {
        carol = refreshed(&node, &carol).await;
    }
    let stolen = carol;
    let carol = refreshed(&node, &stolen).await;
    let dora = register(&node, "dora@example.com").await;
    stop.store(true, Ordering::Relaxed);
    let mut newest = Vec::new();
    for browser in traffic {
        let (refreshes, answer) = browser.await.expect("goes on");
        assert!(refreshes > 0, "the backup was made under load");
        newest.push(answer);
    }
    drop(node);

    restore();
    let admin = free_address();
    let restored = restored
        .with("KEYTURN__ADMIN__LISTEN", admin.to_string())
        .with("KEYTURN__ADMIN__HOSTS", r#"["keyturn.example"]"#);
    let node = restored.node().await;
    newest.push(carol);
    let mut answers = Vec::new();
    for answer in &newest {
        let answer = refreshed(&node, answer).await;
        let alarm = node.get("/api/account/alarm", &access(&answer)).await;
        assert_eq!(alarm.json(), json!({}), "no warning of a theft");
        answers.push(refreshed(&node, &answer).await);
    }
    // A token of the lost branch ends its session, and no other.
    let reused = node.refresh(&stolen).await;
    assert_eq!(
        (reused.status, &reused.json()["code"]),
        (401, &json!("refresh_reused"))
    );
    let ended = node.refresh(&answers.pop().expect("carol's")).await;
    assert_eq!(
        (ended.status, &ended.json()["reason"]),
        (401, &json!("reuse_detected"))
    );
    for answer in &answers {
        refreshed(&node, answer).await;
    }
    // An account that is newer than the backup.
    let unknown = node.refresh(&dora).await;
    assert_eq!(
        (unknown.status, &unknown.json()["reason"]),
        (401, &json!("unknown"))
    );
    let login = json!({ "email": "carol@example.com", "password": PASSWORD });
    assert_eq!(node.post("/api/auth/login", None, &login).await.status, 200);

    // What may have been revoked after the backup is ended, even while the server runs.
    let said = restored
        .stdout_of(
            &["sessions", "revoke", "--issued-before", "2100-01-01T00:00:00Z"],
            "",
        )
        .await;
    assert!(said.starts_with("Sessions ended: "), "{said}");
    for answer in &answers {
        let ended = node.refresh(answer).await;
        assert_eq!(
            (ended.status, &ended.json()["reason"]),
            (401, &json!("revoked_by_operator"))
        );
    }
    let metrics = node.at(admin).get("/metrics", "").await.text;
    let recovered = metrics
        .lines()
        .find_map(|line| line.strip_prefix("keyturn_lost_writes_recovered_total "));
    let recovered: usize = recovered.and_then(|count| count.parse().ok()).unwrap_or_default();
    assert!(
        (1..=newest.len()).contains(&recovered),
        "{recovered} recoveries: {metrics}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sqlite_backup_can_be_restored() {
    let db = Db::sqlite();
    let deployment = busy(&db);
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("it's a backup.db");
    let name = file.to_str().expect("UTF-8");
    let target = TempDir::new().expect("a folder");
    let restored = target.path().join("keyturn.db");
    let restored_db = Deployment::new(&db).with(
        "KEYTURN__DATABASE__URL",
        format!("sqlite://{}", restored.display()),
    );
    back_up_and_restore(
        &deployment,
        restored_db,
        async || {
            let said = deployment.stdout_of(&["backup", name], "").await;
            assert!(said.contains("is copied to") && said.contains("master"), "{said}");
        },
        || {
            std::fs::copy(&file, &restored).expect("copies");
        },
    )
    .await;

    let mode = std::fs::metadata(&file).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let left: Vec<PathBuf> = std::fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    assert_eq!(left, std::slice::from_ref(&file), "no draft and no log beside it");

    // A second backup overwrites nothing.
    let before = std::fs::read(&file).expect("reads");
    let complaint = deployment.stderr_of(&["backup", name], "").await;
    assert!(
        complaint.contains("exists already") && complaint.lines().count() == 1,
        "{complaint}"
    );
    assert!(std::fs::read(&file).expect("reads") == before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_backup_reports_the_cause() {
    let db = Db::sqlite();
    let deployment = Deployment::new(&db);
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("backup.db");
    let complaint = deployment
        .stderr_of(&["backup", file.to_str().expect("UTF-8")], "")
        .await;
    assert!(
        complaint.contains("there is no database to copy at"),
        "{complaint}"
    );
    deployment.stdout_of(&["migrate"], "").await;
    let nowhere = folder.path().join("missing/backup.db");
    let complaint = deployment
        .stderr_of(&["backup", nowhere.to_str().expect("UTF-8")], "")
        .await;
    assert!(complaint.contains("cannot write"), "{complaint}");
    assert!(
        std::fs::read_dir(folder.path())
            .expect("a folder")
            .next()
            .is_none()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgresql_backup_can_be_restored() {
    let db = Db::postgres().await;
    let target = Db::postgres().await;
    let deployment = busy(&db);
    let complaint = deployment.stderr_of(&["backup", "x.db"], "").await;
    assert!(
        complaint.contains("pg_dump") && complaint.lines().count() == 1,
        "{complaint}"
    );

    let folder = TempDir::new().expect("a folder");
    let dump = folder.path().join("keyturn.dump");
    let restored = Deployment::new(&target);
    back_up_and_restore(
        &deployment,
        restored,
        async || {
            let (url, dump) = (db.url.clone(), dump.clone());
            let dumped = tokio::task::spawn_blocking(move || {
                postgres("pg_dump", &["--format=custom", "--file", &path(&dump), &url]);
            });
            dumped.await.expect("dumps");
        },
        || {
            postgres(
                "pg_restore",
                &[
                    "--no-owner",
                    "--exit-on-error",
                    "--dbname",
                    &target.url,
                    &path(&dump),
                ],
            );
        },
    )
    .await;
}

fn path(file: &Path) -> String {
    file.to_str().expect("UTF-8").to_owned()
}

/// Runs a PostgreSQL client program. Debian installs them on the PATH.
fn postgres(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|why| panic!("{program}: {why}"));
    assert!(
        output.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
