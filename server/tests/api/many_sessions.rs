//! An account with very many sessions, as a thief with the password can create them. Its owner's remedies must work,
//! and other users must not be affected.

use std::{sync::Arc, time::Duration};

use http::Method;
use rotation::SessionId;
use serde_json::json;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use crate::support::{Client, Db, PASSWORD, TestApp, TestResponse, client::claims, on_both_databases};

const MANY: u32 = 150_000;
/// The promise is one second, and 100 ms for others. A busy machine and a debug build get more time; the figures are
/// printed.
const PATIENCE: Duration = Duration::from_secs(5);
const OTHERS_PATIENCE: Duration = Duration::from_millis(500);

/// Copies a session many times, like a script that signs in repeatedly.
pub(crate) async fn insert_sessions(app: &TestApp, like: SessionId, count: u32) {
    /// A single statement for all of them would exceed the statement time-out on a busy machine.
    const AT_ONCE: u32 = 10_000;
    let like = like.uuid().simple();
    let others = "token_epoch, generation, previous_jti, rotated_at, confirmed, refresh_kid, refresh_issued_at, \
                  refresh_expires_at, absolute_expires_at, remember, created_at, last_used_at, revoked_at, revoke_reason, \
                  user_agent, ip";
    for first in (1..=count).step_by(AT_ONCE as usize) {
        let last = (first + AT_ONCE - 1).min(count);
        let sql = if app.state.store.is_sqlite() {
            format!(
                "WITH RECURSIVE numbers(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n < {last}) \
                 INSERT INTO sessions (id, user_id, current_jti, {others}) \
                 SELECT unhex(printf('01930000000070008000%012x', n)), user_id, \
                 unhex(printf('01930000000070008001%012x', n)), {others} FROM sessions, numbers WHERE id = x'{like}'"
            )
        } else {
            format!(
                "INSERT INTO sessions (id, user_id, current_jti, {others}) \
                 SELECT gen_random_uuid(), user_id, gen_random_uuid(), {others} \
                 FROM sessions, generate_series({first}, {last}) WHERE id = '{like}'"
            )
        };
        app.execute(&sql).await;
    }
    app.execute("ANALYZE").await;
}

async fn send(
    client: &mut Client,
    method: Method,
    path: &str,
    body: Option<serde_json::Value>,
) -> TestResponse {
    let request = client.request(method, path, body);
    client.send(request).await
}

/// A node without a refresh limit per session, with enough time to insert hundreds of thousands of rows.
async fn patient(db: Db) -> TestApp {
    TestApp::with(db, |sections| {
        sections.limits.refreshes_per_minute = 1_000_000;
        sections.database.timeout = Duration::from_mins(1);
        sections.http.request_timeout = Duration::from_mins(1);
    })
    .await
}

/// Another user who keeps refreshing. Returns how long each refresh took.
struct Bystander {
    took: Arc<Mutex<Vec<Duration>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Bystander {
    async fn start(app: &TestApp) -> Self {
        let mut client = app.anonymous();
        assert_eq!(client.register("bob@example.com", PASSWORD).await.status, 201);
        let took = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&took);
        let task = tokio::spawn(async move {
            loop {
                let begun = Instant::now();
                let answer = client.refresh().await;
                assert_eq!(answer.status, 200, "{}", answer.text());
                seen.lock().await.push(begun.elapsed());
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        Self { took, task }
    }

    /// The 99th percentile and the maximum since the last call.
    async fn figures(&self) -> (Duration, Duration) {
        assert!(!self.task.is_finished(), "a refresh of another user failed");
        let mut took = std::mem::take(&mut *self.took.lock().await);
        took.sort_unstable();
        let at = |share: f64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "an index"
            )]
            let index = ((took.len() as f64 * share) as usize).min(took.len().saturating_sub(1));
            took.get(index).copied().unwrap_or_default()
        };
        (at(0.99), at(1.0))
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Uses a remedy against many sessions, and checks that it takes effect immediately and disturbs no one.
async fn measure(
    app: &TestApp,
    what: &str,
    method: Method,
    path: &str,
    body: Option<serde_json::Value>,
    expected: u16,
) {
    let mut owner = app.user().await;
    let mut copy = owner.clone();
    let mut thief = app.anonymous();
    assert_eq!(thief.login("ada@example.com", PASSWORD).await.status, 200);
    insert_sessions(app, owner.session_id(), MANY).await;
    let bystander = Bystander::start(app).await;
    app.state.read_revocations().await.expect("reads");
    bystander.figures().await;

    let begun = Instant::now();
    let answer = send(&mut owner, method, path, body).await;
    let took = begun.elapsed();
    assert_eq!(answer.status, expected, "{}", answer.text());
    app.state.read_revocations().await.expect("reads");
    assert_eq!(thief.get("/api/me").await.status, 401);
    assert_eq!(thief.refresh().await.status, 401);
    match what {
        "password" | "others" => {
            assert_eq!(owner.get("/api/me").await.status, 200);
            assert_eq!(owner.refresh().await.status, 200);
        }
        _ => assert_eq!(copy.refresh().await.status, 401),
    }

    // The rest is marked as on a running node.
    let begun = Instant::now();
    let marking = async {
        while app.state.store.finish_account_revocations().await.expect("marks") {
            app.state.read_revocations().await.expect("reads");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    // All of it on a fast machine, a part of it on a slow one: the figures measure the effect on others meanwhile.
    let all = timeout(Duration::from_secs(12), marking).await.is_ok();
    let (p99, longest) = bystander.figures().await;
    let marked = begun.elapsed();
    println!(
        "{what}: answered in {took:?}; others' refreshes p99 {p99:?}, longest {longest:?}; marked {} in {marked:?}",
        if all { "all" } else { "a part" }
    );
    assert!(took < PATIENCE, "{what} took {took:?}");
    assert!(p99 < OTHERS_PATIENCE, "{what}: others waited {p99:?}");
}

on_both_databases! {
    async fn sign_out_everywhere_revokes_many_sessions_immediately(db: Db) {
        let app = patient(db).await;
        measure(&app, "everywhere", Method::POST, "/api/auth/logout-all", None, 204).await;
    }

    async fn revoking_other_sessions_takes_effect_immediately(db: Db) {
        let app = patient(db).await;
        measure(&app, "others", Method::DELETE, "/api/sessions", None, 204).await;
    }

    async fn a_password_change_revokes_many_sessions_immediately(db: Db) {
        let app = patient(db).await;
        let body = json!({ "current_password": PASSWORD, "new_password": "a lantern under snow" });
        measure(&app, "password", Method::POST, "/api/account/password", Some(body), 200).await;
    }

    async fn deleting_an_account_with_many_sessions_is_immediate(db: Db) {
        let app = patient(db).await;
        let body = json!({ "current_password": PASSWORD });
        measure(&app, "deleted", Method::DELETE, "/api/account", Some(body), 204).await;
        // The address is free although rows are left.
        let mut next = app.user().await;
        assert_eq!(next.get("/api/me").await.status, 200);
        let sessions = next.get("/api/sessions").await.json();
        assert_eq!(sessions["sessions"].as_array().expect("a list").len(), 1);
    }

    async fn interrupted_revocations_resume_with_their_reason(db: Db) {
        let app = patient(db).await;
        let mut owner = app.user().await;
        let mut phone = app.anonymous();
        // Inside or outside the first batch, which the request marks itself: the response is the same.
        assert_eq!(phone.login("ada@example.com", PASSWORD).await.status, 200);
        insert_sessions(&app, owner.session_id(), 1_200).await;
        assert_eq!(owner.post("/api/auth/logout-all", None).await.status, 204);
        // Signed in again, and out again for another reason before the first is finished.
        let mut back = app.anonymous();
        assert_eq!(back.login("ada@example.com", PASSWORD).await.status, 200);
        let body = json!({ "current_password": PASSWORD, "new_password": "a lantern under snow" });
        let before = back.clone();
        assert_eq!(back.post("/api/account/password", Some(body)).await.status, 200);

        let app = app.restart().await;
        let reason = |client: &Client| {
            let mut client = Client { router: app.router.clone(), ..client.clone() };
            async move {
                let refused = client.refresh().await;
                refused.assert_problem(401, "session_revoked");
                refused.json()["reason"].as_str().expect("a reason").to_owned()
            }
        };
        for _ in 0..2 {
            assert_eq!(reason(&phone).await, "logout_all");
            assert_eq!(reason(&before).await, "password_changed");
            while app.state.store.finish_account_revocations().await.expect("marks") {}
        }
        let mut back = Client { router: app.router.clone(), ..back };
        assert_eq!(back.refresh().await.status, 200);
        let unmarked = count(&app, "sessions WHERE revoked_at IS NULL").await;
        assert_eq!(unmarked, 1);
        let blacklisted = count(&app, "token_blacklist WHERE reason = 'logout_all'").await;
        assert_eq!(blacklisted, 1_202);
        assert_eq!(count(&app, "sessions WHERE revoke_reason = 'password_changed'").await, 1);
    }

    async fn a_deleted_account_leaves_no_rows(db: Db) {
        let app = patient(db).await;
        let mut owner = app.user().await;
        insert_sessions(&app, owner.session_id(), 1_200).await;
        let body = json!({ "current_password": PASSWORD });
        assert_eq!(send(&mut owner, Method::DELETE, "/api/account", Some(body)).await.status, 204);
        let app = app.restart().await;
        while app.state.store.finish_account_revocations().await.expect("deletes") {}
        for table in ["users", "sessions", "security_events"] {
            assert_eq!(count(&app, table).await, 0, "{table}");
        }
    }
}

async fn count(app: &TestApp, what: &str) -> i64 {
    use sea_orm_migration::sea_orm::{ConnectionTrait, Statement};

    let db = app.state.store.connection();
    let sql = format!("SELECT CAST(COUNT(*) AS bigint) AS count FROM {what}");
    let row = db
        .query_one_raw(Statement::from_string(db.get_database_backend(), sql))
        .await
        .expect("a query");
    row.expect("a row").try_get("", "count").expect("a number")
}

/// Two nodes whose clocks are an hour apart: sessions before the new password end on both, later ones stay.
mod clocks {
    use super::*;

    on_both_databases! {
        async fn clock_skew_does_not_change_which_sessions_are_revoked(db: Db) {
            for (ahead, behind) in [(true, false), (false, true), (false, false)] {
                let email = format!("ada{ahead}{behind}@example.com");
                let here = TestApp::new(db.again()).await;
                let there = TestApp::new(db.again()).await;
                if ahead {
                    there.advance(Duration::from_hours(1));
                }
                if behind {
                    here.advance(Duration::from_hours(1));
                }
                let at = |node: &TestApp, client: &Client| Client { router: node.router.clone(), ..client.clone() };

                // One browser with each node, signed in before.
                let mut laptop = here.anonymous();
                assert_eq!(laptop.register(&email, PASSWORD).await.status, 201);
                let mut phone = there.anonymous();
                assert_eq!(phone.login(&email, PASSWORD).await.status, 200);
                let old = [laptop.clone(), phone.clone()];

                let new = "a lantern under snow";
                let body = json!({ "current_password": PASSWORD, "new_password": new });
                assert_eq!(laptop.post("/api/account/password", Some(body)).await.status, 200);
                let mut tablet = there.anonymous();
                assert_eq!(tablet.login(&email, new).await.status, 200);

                for node in [&here, &there] {
                    node.state.read_revocations().await.expect("reads");
                    for client in &old {
                        let mut client = at(node, client);
                        // A token from the future is refused as well, and not only for that reason.
                        assert_eq!(client.get("/api/me").await.status, 401);
                        assert_eq!(client.refresh().await.status, 401);
                    }
                }
                // Each with the node whose clock issued its token; and after a refresh with the other.
                assert_eq!(laptop.get("/api/me").await.status, 200);
                assert_eq!(tablet.get("/api/me").await.status, 200);
                for (client, node) in [(&laptop, &there), (&tablet, &here)] {
                    let mut client = at(node, client);
                    assert_eq!(client.refresh().await.status, 200);
                    assert_eq!(client.get("/api/me").await.status, 200);
                }
                // The other sessions end and the caller's stays, on both nodes.
                let mut keeper = at(&here, &laptop);
                assert_eq!(keeper.refresh().await.status, 200);
                assert_eq!(send(&mut keeper, Method::DELETE, "/api/sessions", None).await.status, 204);
                for node in [&here, &there] {
                    node.state.read_revocations().await.expect("reads");
                    let mut kept = at(node, &keeper);
                    let kept_is_fresh = kept.refresh().await.status == 200 && kept.get("/api/me").await.status == 200;
                    assert!(kept_is_fresh);
                    keeper.refresh.clone_from(&kept.refresh);
                    assert_eq!(at(node, &tablet).refresh().await.status, 401);
                }
                assert_ne!(claims(keeper.access.as_deref().expect("a token"))["sid"], "");
            }
        }
    }
}
