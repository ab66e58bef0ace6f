//! Failing writes: a full disk, an interrupted statement, a lock that another process holds. After each failure the
//! server's responses must be true, repeatedly, and visible to another process.

use std::time::Duration;

use sea_orm_migration::sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend};
use serde_json::json;
use tokio::task::yield_now;

use crate::support::{Client, Db, PASSWORD, TestApp, on_both_databases, process::Deployment};

const NEW_PASSWORD: &str = "ladder violet thunder";

/// Every kind of write, each checked on another connection, then from another process and after a restart.
async fn writes_are_real(app: TestApp, user: &mut Client, round: usize) -> TestApp {
    let id = user.session_id();
    let generation = app.number(&session(&app, id, "generation")).await;
    assert_eq!(user.refresh().await.status, 200);
    assert_eq!(app.number(&session(&app, id, "generation")).await, generation + 1);

    let email = format!("grace{round}@example.com");
    let mut other = app.anonymous();
    assert_eq!(other.register(&email, PASSWORD).await.status, 201);
    let change = json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD});
    assert_eq!(
        other.post("/api/account/password", Some(change)).await.status,
        200
    );
    let ended = other.session_id();
    assert_eq!(other.logout().await.status, 204);
    let revoked = session(&app, ended, "CASE WHEN revoked_at IS NULL THEN 0 ELSE 1 END");
    assert_eq!(app.number(&revoked).await, 1);

    let users = Deployment::new(&app.db).stdout_of(&["users", "list"], "").await;
    assert!(users.contains(&email), "{users}");
    assert_eq!(app.anonymous().get("/health/live").await.status, 200);

    let app = app.restart().await;
    user.router = app.router.clone();
    assert_eq!(user.refresh().await.status, 200);
    assert_eq!(app.anonymous().login(&email, PASSWORD).await.status, 401);
    assert_eq!(app.anonymous().login(&email, NEW_PASSWORD).await.status, 200);
    app
}

/// A query for one column of one session.
fn session(app: &TestApp, id: rotation::SessionId, column: &str) -> String {
    let id = id.uuid();
    let literal = if app.state.store.is_sqlite() {
        format!("x'{}'", id.simple())
    } else {
        format!("'{id}'")
    };
    format!("SELECT {column} FROM sessions WHERE id = {literal}")
}

/// A connection outside the server.
async fn another_process(db: &Db) -> DatabaseConnection {
    let mut options = ConnectOptions::new(&db.url);
    options.max_connections(1);
    Database::connect(options).await.expect("connects")
}

/// SQLite rolls back the whole transaction when a write to its files fails. In November 2026 that made every later 200
/// response false: sqlx still counted the transaction, so the next `COMMIT` only ended a savepoint.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_recover_after_a_full_disk() {
    let db = Db::sqlite();
    let deployment = Deployment::new(&db);
    let log = format!("{}-wal", db.url.trim_start_matches("sqlite://"));
    let account = json!({"email": "ada@example.com", "password": PASSWORD});
    let node = deployment.limitable_node().await;
    let mut last = node.post("/api/auth/register", None, &account).await;
    assert_eq!(last.status, 201, "{}", last.text);
    for round in 0..3 {
        let size = std::fs::metadata(&log).expect("SQLite's log").len();
        node.limit_files(Some(size));
        for _ in 0..2 {
            let refused = node.refresh(&last).await;
            assert_eq!(refused.status, 503, "{}", refused.text);
            assert!(!refused.text.contains("set-cookie"), "{}", refused.text);
        }
        assert_eq!(node.get("/health/ready", "").await.status, 503);
        node.limit_files(None);

        last = node.refresh(&last).await;
        assert_eq!(last.status, 200, "{}", last.text);
        let generation = db
            .number("SELECT MAX(generation) FROM sessions WHERE revoked_at IS NULL")
            .await;
        assert_eq!(generation, round + 2);
        let email = format!("grace{round}@example.com");
        let other = json!({"email": email, "password": PASSWORD});
        let other = node.post("/api/auth/register", None, &other).await;
        assert_eq!(other.status, 201, "{}", other.text);
        let token = other.json()["access_token"].as_str().expect("a token").to_owned();
        let change = json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD});
        let changed = node.post("/api/account/password", Some(&token), &change).await;
        assert_eq!(changed.status, 200, "{}", changed.text);
        let token = changed.json()["access_token"]
            .as_str()
            .expect("a token")
            .to_owned();
        assert_eq!(
            node.post("/api/auth/logout-all", Some(&token), &json!({}))
                .await
                .status,
            204
        );
        let alive = "SELECT COUNT(*) FROM sessions WHERE revoked_at IS NULL";
        assert_eq!(db.number(alive).await, 1, "another process sees the sign-out");
        assert!(
            deployment
                .stdout_of(&["users", "list"], "")
                .await
                .contains(&email)
        );
    }
    node.stop().await;

    let node = deployment.node().await;
    assert_eq!(node.refresh(&last).await.status, 200);
    for round in 0..3 {
        for (password, status) in [(PASSWORD, 401), (NEW_PASSWORD, 200)] {
            let account = json!({"email": format!("grace{round}@example.com"), "password": password});
            assert_eq!(node.post("/api/auth/login", None, &account).await.status, status);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_statement_fails_one_request() {
    let mut app = TestApp::new(Db::sqlite()).await;
    let mut user = app.user().await;
    let mut failures = 0;
    // The number of SQLite's virtual machine steps before the interrupt: at BEGIN, in a query, in an update, at the
    // commit.
    for (round, steps) in [1, 10, 20, 40, 60, 80].into_iter().enumerate() {
        interrupt_after(&app, Some(steps)).await;
        let answer = user.refresh().await;
        assert!(matches!(answer.status, 200 | 503), "{}", answer.text());
        assert!(!answer.clears_the_cookie());
        if answer.status == 503 {
            failures += 1;
        } else {
            // No statement took that many steps.
            interrupt_after(&app, None).await;
        }
        app = writes_are_real(app, &mut user, round).await;
    }
    assert!(failures >= 3, "{failures} of 6 were interrupted");
}

/// Makes SQLite interrupt the statements on the writer's connection, or stops doing so.
async fn interrupt_after(app: &TestApp, steps: Option<i32>) {
    let pool = app.state.store.connection().get_sqlite_connection_pool();
    let mut connection = pool.acquire().await.expect("the writer's connection");
    let mut handle = connection.lock_handle().await.expect("its handle");
    match steps {
        Some(steps) => handle.set_progress_handler(steps, || false),
        None => handle.remove_progress_handler(),
    }
}

on_both_databases! {
    async fn requests_recover_after_a_database_lock_timeout(db: Db) {
        let impatient = |sections: &mut web::config::RawConfig| {
            sections.database.timeout = Duration::from_secs(1);
        };
        let mut app = TestApp::with(db, impatient).await;
        let mut user = app.user().await;
        for round in 0..3 {
            let other = another_process(&app.db).await;
            hold(&other).await;
            // Twice in a row: the state after the first failure must not affect the second.
            for _ in 0..2 {
                let before = user.refresh.clone();
                let answer = user.refresh().await;
                answer.assert_problem(503, "unavailable");
                assert!(!answer.clears_the_cookie() && user.refresh == before);
            }
            other.execute_unprepared("ROLLBACK").await.expect("lets go");
            other.close().await.expect("closes");
            app = writes_are_real(app, &mut user, round).await;
        }
    }

    async fn a_refresh_waits_for_a_short_database_lock(db: Db) {
        let app = TestApp::new(db).await;
        let mut user = app.user().await;
        let other = another_process(&app.db).await;
        hold(&other).await;
        let waiting = tokio::spawn(async move { user.refresh().await.status });
        for _ in 0..200 {
            yield_now().await;
        }
        other.execute_unprepared("ROLLBACK").await.expect("lets go");
        assert_eq!(waiting.await.expect("no panic"), 200);
    }

    async fn a_cancelled_request_leaves_no_open_transaction(db: Db) {
        let mut app = TestApp::new(db).await;
        let mut user = app.user().await;
        for round in 0..3 {
            let other = another_process(&app.db).await;
            hold(&other).await;
            let mut left = Client::new(app.router.clone());
            left.refresh.clone_from(&user.refresh);
            let request = tokio::spawn(async move { left.refresh().await.status });
            for _ in 0..200 {
                yield_now().await;
            }
            request.abort();
            assert!(request.await.is_err(), "it was answered although the row is locked");
            other.execute_unprepared("ROLLBACK").await.expect("lets go");
            other.close().await.expect("closes");
            app = writes_are_real(app, &mut user, round).await;
        }
    }
}

/// Takes the lock on all sessions (SQLite: on the file).
async fn hold(other: &DatabaseConnection) {
    let begin = match other.get_database_backend() {
        DbBackend::Sqlite => "BEGIN IMMEDIATE",
        _ => "BEGIN; LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE",
    };
    other.execute_unprepared(begin).await.expect("the lock");
}
