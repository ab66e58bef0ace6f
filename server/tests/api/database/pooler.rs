//! PgBouncer, as Debian has it, in transaction mode.

use std::{
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::support::{
    Db, TestApp,
    cluster::is_root,
    process::{Deployment, free_address},
};

/// A running PgBouncer in front of a test's database. It is killed when this is dropped.
struct Bouncer {
    address: SocketAddr,
    process: Child,
    _folder: TempDir,
}

impl Bouncer {
    async fn before(db: &Db) -> Self {
        let server = url::Url::parse(&db.url).expect("a URL");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let address = free_address();
        let users = folder.path().join("users.txt");
        std::fs::write(&users, "\"postgres\" \"\"\n").expect("writes");
        let settings = folder.path().join("pgbouncer.ini");
        // Otherwise Debian's defaults: startup parameters are not ignored.
        let text = format!(
            "[databases]\n* = host={} port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = transaction\ndefault_pool_size = 4\n\
             max_client_conn = 200\n",
            server.host_str().expect("a host"),
            server.port().unwrap_or(5432),
            address.port(),
            users.display(),
        );
        std::fs::write(&settings, text).expect("writes");
        let mut command = if is_root() {
            let open = Command::new("chmod")
                .args(["-R", "a+rX"])
                .arg(folder.path())
                .status();
            assert!(open.expect("chmod").success());
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", "/usr/sbin/pgbouncer"]);
            command
        } else {
            Command::new("/usr/sbin/pgbouncer")
        };
        let process = command
            .arg(&settings)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("PgBouncer starts (Debian: apt-get install pgbouncer)");
        while TcpStream::connect(address).await.is_err() {
            tokio::task::yield_now().await;
        }
        Self {
            address,
            process,
            _folder: folder,
        }
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        // Also signals `runuser`, which forwards it: a killed `runuser` would leave PgBouncer running.
        let pid = self.process.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refreshes_work_behind_a_transaction_pooler() {
    let db = Db::postgres().await;
    // An operator migrates the schema, without the pooler.
    let deployment = Deployment::new(&db);
    deployment.stdout_of(&["migrate"], "").await;
    let bouncer = Bouncer::before(&db).await;
    let behind = db.through(bouncer.address);
    let app = TestApp::with(behind.again(), |sections| {
        sections.database.pooler = web::config::Pooler::Transaction;
    })
    .await;
    let mut user = app.user().await;
    for _ in 0..2 {
        app.refresh_in_50_tabs(&mut user).await;
    }
    assert_eq!(user.refresh().await.status, 200);
    assert_eq!(user.get("/api/sessions").await.status, 200);
    assert_eq!(app.anonymous().get("/health/ready").await.status, 200);
    let token = user.access.clone();
    assert_eq!(user.logout().await.status, 204);
    user.access = token;
    user.get("/api/auth/session")
        .await
        .assert_problem(401, "invalid_token");
    // Polling must replace notifications.
    assert!(
        app.state
            .store
            .listen_for_revocations()
            .await
            .expect("no error")
            .is_none()
    );
    assert!(app.state.read_revocations().await.expect("reads") >= 1);

    let deployment = Deployment::new(&behind)
        .with("KEYTURN__DATABASE__POOLER", "transaction")
        // The secret that encrypted this database's keys.
        .with(
            "KEYTURN__SECRETS__MASTER",
            "a test's secret, long enough and of many letters",
        );
    let node = deployment.node().await;
    let answer = node
        .post(
            "/api/auth/login",
            None,
            &serde_json::json!({"email": "ada@example.com", "password": crate::support::PASSWORD}),
        )
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(node.refresh(&answer).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_undeclared_pooler_is_a_startup_error() {
    let db = Db::postgres().await;
    let bouncer = Bouncer::before(&db).await;
    let complaint = Deployment::new(&db.through(bouncer.address))
        .stderr_of(&["serve"], "")
        .await;
    assert!(complaint.contains("database.pooler"), "{complaint}");
    assert_eq!(complaint.trim_end().lines().count(), 1, "{complaint}");
}
