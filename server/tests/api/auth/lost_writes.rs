//! `POST /api/auth/refresh` after the database lost its last commits: a fail-over to a lagging replica, or a restored
//! backup.

use std::{collections::HashSet, time::Duration};

use rotation::Generation;
use web::router;

use crate::support::{
    Client, Db, PASSWORD, TestApp,
    client::{COOKIE, claims},
    http::TestListener,
    on_both_databases,
};

const TABLES: [&str; 4] = ["users", "sessions", "token_blacklist", "security_events"];

/// Saves a copy of the database's current content.
async fn back_up(app: &TestApp) {
    for table in TABLES {
        app.execute(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}"))
            .await;
    }
}

/// Everything that was committed since the copy is lost.
async fn restore(app: &TestApp) {
    for table in TABLES.iter().rev() {
        app.execute(&format!("DELETE FROM {table}")).await;
    }
    for table in TABLES {
        app.execute(&format!("INSERT INTO {table} SELECT * FROM kept_{table}"))
            .await;
    }
}

async fn rotate(client: &mut Client, times: usize) {
    for _ in 0..times {
        let answer = client.refresh().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

fn generation(client: &Client) -> i64 {
    let claims = claims(client.refresh.as_deref().expect("a token"));
    claims["gen"].as_i64().expect("a generation")
}

/// How many events of a kind are on the account's timeline.
async fn events(client: &mut Client, kind: &str) -> usize {
    let page = client.get("/api/account/events").await.json();
    let events = page["events"].as_array().expect("a list");
    events.iter().filter(|event| event["kind"] == kind).count()
}

fn with_token(app: &TestApp, token: Option<&String>) -> Client {
    let mut client = app.anonymous();
    client.refresh = token.cloned();
    client
}

on_both_databases! {
    async fn the_newest_token_still_works_after_lost_writes(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        rotate(&mut client, 1).await;
        back_up(&app).await;
        for (lost, recoveries) in [(1, 1), (4, 1)] {
            rotate(&mut client, lost).await;
            restore(&app).await;
            let before = generation(&client);

            rotate(&mut client, 1).await;
            assert_eq!(generation(&client), before + 1);
            assert_eq!(client.get("/api/me").await.status, 200);
            assert_eq!(events(&mut client, "refresh_reused").await, 0, "no warning of a theft");
            assert_eq!(events(&mut client, "lost_write_recovered").await, recoveries, "operators are told once");
            let alarm = client.get("/api/account/alarm").await.json();
            assert_eq!(alarm["alarm"], serde_json::Value::Null);

            let dead = app.state.store.blacklisted_tokens(client.session_id()).await.expect("reads");
            let dead: Vec<_> = dead.iter().map(|token| (i64::from(token.generation.number()), token.reason.as_str())).collect();
            assert_eq!(dead, [(1, "rotated"), (2, "lost_write"), (before, "rotated")]);
            // From here on everything works as usual.
            rotate(&mut client, 2).await;
        }
    }

    async fn after_lost_writes_a_second_tab_gets_the_same_successor(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        back_up(&app).await;
        rotate(&mut client, 2).await;
        restore(&app).await;
        let mut tab = client.clone();
        rotate(&mut client, 1).await;
        rotate(&mut tab, 1).await;
        assert_eq!(tab.refresh, client.refresh);
        app.advance(Duration::from_mins(1));
        // The response was lost, and its token is unused.
        let mut lost = with_token(&app, tab.refresh.as_ref());
        rotate(&mut lost, 1).await;
    }

    async fn concurrent_refreshes_recover_lost_writes_once(db: Db) {
        let app = TestApp::new(db).await;
        let node = app.node_with(|_| {}).await;
        let mut client = app.user().await;
        back_up(&app).await;
        rotate(&mut client, 3).await;
        restore(&app).await;
        let before = generation(&client);
        let servers = [TestListener::start(app.router.clone()).await, TestListener::start(node.router.clone()).await];
        let token = client.refresh.as_deref().expect("a token");
        let request = format!(
            "POST /api/auth/refresh HTTP/1.1\r\nhost: localhost:3000\r\norigin: http://localhost:3000\r\n\
             cookie: {COOKIE}={token}\r\nx-requested-with: keyturn\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        let (first, second) = tokio::join!(servers[0].at_once(25, &request), servers[1].at_once(25, &request));
        let answers: Vec<_> = first.into_iter().chain(second).collect();
        for answer in &answers {
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
        let successors: HashSet<_> = answers.iter().map(|answer| answer.refresh_token().expect("a token")).collect();
        assert_eq!(successors.len(), 1, "all answers carry the same successor");
        let session = app.state.store.session(client.session_id()).await.expect("reads").expect("a session");
        assert_eq!(i64::from(session.live_token.generation.number()), before + 1);
        assert_eq!(events(&mut client, "lost_write_recovered").await, 1);
    }

    async fn the_outdated_token_is_reuse_without_a_grace_period(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut thief = client.clone();
        back_up(&app).await;
        rotate(&mut client, 1).await;
        restore(&app).await;
        rotate(&mut client, 1).await;
        // No grace period: it was replaced in lost writes, at an unknown time.
        thief.refresh().await.assert_problem(401, "refresh_reused");
        let ended = client.refresh().await;
        ended.assert_problem(401, "session_revoked");
        assert_eq!(ended.json()["reason"], "reuse_detected");
    }

    async fn reuse_of_a_token_from_the_lost_writes_is_detected(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        back_up(&app).await;
        rotate(&mut client, 1).await;
        let stolen = client.refresh.clone();
        rotate(&mut client, 1).await;

        // The victim refreshes first.
        restore(&app).await;
        let (mut victim, mut thief) = (with_token(&app, client.refresh.as_ref()), with_token(&app, stolen.as_ref()));
        rotate(&mut victim, 1).await;
        thief.refresh().await.assert_problem(401, "refresh_reused");
        victim.refresh().await.assert_problem(401, "session_revoked");

        // The thief refreshes first: the thief's tokens end when the victim refreshes.
        restore(&app).await;
        let (mut victim, mut thief) = (with_token(&app, client.refresh.as_ref()), with_token(&app, stolen.as_ref()));
        rotate(&mut thief, 1).await;
        victim.refresh().await.assert_problem(401, "refresh_reused");
        thief.refresh().await.assert_problem(401, "session_revoked");
    }

    async fn a_backup_older_than_the_idle_lifetime_is_recovered(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let old = client.clone();
        back_up(&app).await;
        for _ in 0..3 {
            app.advance(Duration::from_hours(5 * 24));
            rotate(&mut client, 1).await;
        }
        restore(&app).await;
        rotate(&mut client, 1).await;
        let mut old = with_token(&app, old.refresh.as_ref());
        old.refresh().await.assert_problem(401, "refresh_expired");
        assert_eq!(client.get("/api/me").await.status, 200);

        // The absolute end does not move.
        for _ in 0..3 {
            app.advance(Duration::from_hours(4 * 24));
            rotate(&mut client, 1).await;
        }
        restore(&app).await;
        rotate(&mut client, 1).await;
        app.advance(Duration::from_hours(4 * 24));
        client.refresh().await.assert_problem(401, "refresh_expired");
    }

    async fn restoring_only_the_session_row_revives_no_token(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        app.execute("CREATE TABLE kept AS SELECT * FROM sessions").await;
        rotate(&mut client, 1).await;
        let consumed = client.refresh.clone();
        rotate(&mut client, 1).await;
        app.execute("DELETE FROM sessions").await;
        app.execute("INSERT INTO sessions SELECT * FROM kept").await;
        let mut thief = with_token(&app, consumed.as_ref());
        thief.refresh().await.assert_problem(401, "refresh_reused");
    }

    async fn a_revoked_session_is_not_recovered_after_lost_writes(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut newest = client.clone();
        app.execute("CREATE TABLE kept AS SELECT * FROM sessions").await;
        rotate(&mut newest, 2).await;
        app.execute("DELETE FROM sessions").await;
        app.execute("INSERT INTO sessions SELECT * FROM kept").await;
        app.execute("DELETE FROM token_blacklist").await;
        assert_eq!(client.logout().await.status, 204);
        let refused = newest.refresh().await;
        refused.assert_problem(401, "session_revoked");
        assert_eq!(refused.json()["reason"], "logout");
    }

    async fn lost_write_recovery_can_be_disabled(db: Db) {
        let app = TestApp::with(db, |sections| sections.tokens.recover_lost_writes = false).await;
        let mut client = app.user().await;
        back_up(&app).await;
        rotate(&mut client, 1).await;
        restore(&app).await;
        client.refresh().await.assert_problem(401, "refresh_reused");
    }

    async fn a_session_missing_from_the_backup_cannot_refresh(db: Db) {
        let app = TestApp::new(db).await;
        app.user().await;
        back_up(&app).await;
        let mut lost = app.anonymous();
        assert_eq!(lost.login("ada@example.com", PASSWORD).await.status, 200);
        rotate(&mut lost, 1).await;
        let mut stranger = app.anonymous();
        assert_eq!(stranger.register("bob@example.com", PASSWORD).await.status, 201);
        restore(&app).await;

        // An account that is missing from the database is refused; an existing one is accepted until the access token
        // expires.
        stranger.get("/api/me").await.assert_problem(401, "invalid_token");
        assert_eq!(lost.get("/api/me").await.status, 200);
        for client in [&mut lost, &mut stranger] {
            let refused = client.refresh().await;
            refused.assert_problem(401, "session_revoked");
            assert_eq!(refused.json()["reason"], "unknown");
            assert!(refused.clears_the_cookie());
        }
        assert_eq!(lost.login("ada@example.com", PASSWORD).await.status, 200);
    }

    async fn concurrent_tabs_after_a_lost_response_stay_signed_in(db: Db) {
        for written in [false, true] {
            let app = TestApp::new(db.again()).await;
            let mut tab = app.anonymous();
            let email = if written { "ada@example.com" } else { "bob@example.com" };
            assert_eq!(tab.register(email, PASSWORD).await.status, 201);
            let (mut late, mut thief) = (tab.clone(), tab.clone());
            // The response is lost, the laptop sleeps, and two tabs wake up.
            assert_eq!(tab.clone().refresh().await.status, 200);
            app.advance(Duration::from_hours(1));
            rotate(&mut tab, 1).await;
            assert_eq!(tab.get("/api/auth/session").await.status, 200);
            if written {
                assert_eq!(app.state.store.flush_confirmations().await.expect("writes"), 1);
            }
            // A node that has not seen the use learns it from the row, once it is written.
            let node = app.node_with(|_| {}).await;
            if written {
                late.router = router(node.state.clone(), axum::Router::new());
            }

            app.advance(Duration::from_secs(10));
            let superseded = late.refresh().await;
            superseded.assert_problem(409, "refresh_superseded");
            assert!(superseded.set_cookie().is_none(), "the cookie is left alone");
            late.refresh = tab.refresh.clone();
            rotate(&mut late, 1).await;

            // The same, one generation later: its successor was consumed a moment ago.
            app.advance(Duration::from_secs(10));
            let mut stuck = thief.clone();
            stuck.refresh().await.assert_problem(409, "refresh_superseded");
            app.advance(Duration::from_secs(1));
            thief.refresh().await.assert_problem(401, "refresh_reused");
            late.refresh().await.assert_problem(401, "session_revoked");
        }
    }

    async fn the_grace_period_starts_at_the_first_use_of_the_successor(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut thief = client.clone();
        rotate(&mut client, 1).await;
        app.advance(Duration::from_mins(1));
        for _ in 0..3 {
            // Only the first use counts.
            assert_eq!(client.get("/api/auth/session").await.status, 200);
            app.advance(Duration::from_secs(4));
        }
        thief.refresh().await.assert_problem(401, "refresh_reused");
    }

    async fn a_confirmation_without_a_timestamp_is_respected(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut thief = client.clone();
        rotate(&mut client, 1).await;
        app.execute("UPDATE sessions SET confirmed = TRUE").await;
        app.advance(Duration::from_secs(11));
        thief.refresh().await.assert_problem(401, "refresh_reused");
        assert_eq!(app.state.store.blacklisted_generations(client.session_id()).await.expect("reads").last(), Some(&Generation::new(2)));
    }
}
