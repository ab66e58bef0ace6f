//! Access tokens of ended sessions, and which generations were used.

use std::time::Duration;

use web::router;

use crate::support::{Client, Db, PASSWORD, TestApp, on_both_databases};

on_both_databases! {
    async fn access_tokens_of_a_revoked_session_are_rejected(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut copy = client.clone();
        let mut phone = app.anonymous();
        assert_eq!(phone.login("ada@example.com", PASSWORD).await.status, 200);
        assert_eq!(client.logout().await.status, 204);
        for path in ["/api/auth/session", "/api/me", "/api/sessions", "/api/account/events"] {
            copy.get(path).await.assert_problem(401, "invalid_token");
        }
        assert_eq!(phone.get("/api/me").await.status, 200);
    }

    async fn reuse_and_a_new_sign_in_revoke_the_session(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut thief = client.clone();
        for _ in 0..2 {
            assert_eq!(client.refresh().await.status, 200);
        }
        app.advance(Duration::from_mins(1));
        thief.refresh().await.assert_problem(401, "refresh_reused");
        client.get("/api/auth/session").await.assert_problem(401, "invalid_token");

        let mut browser = app.anonymous();
        assert_eq!(browser.login("ada@example.com", PASSWORD).await.status, 200);
        let mut before = browser.clone();
        assert_eq!(browser.login("ada@example.com", PASSWORD).await.status, 200);
        before.get("/api/auth/session").await.assert_problem(401, "invalid_token");
        assert_eq!(browser.get("/api/auth/session").await.status, 200);
    }

    async fn a_revoked_session_stays_revoked_after_restart_and_clock_step(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let copy = client.clone();
        assert_eq!(client.logout().await.status, 204);
        app.advance(Duration::from_mins(14));
        let app = app.restart().await;
        let mut again = app.anonymous();
        again.access = copy.access;
        again.get("/api/auth/session").await.assert_problem(401, "invalid_token");
        // Old enough to be pruned; then an operator corrects the clock.
        app.advance(Duration::from_mins(50));
        app.state.read_revocations().await.expect("reads");
        app.clock.step_back(Duration::from_mins(50));
        again.get("/api/auth/session").await.assert_problem(401, "invalid_token");
    }

    async fn another_node_reads_the_revocation(db: Db) {
        let app = TestApp::new(db).await;
        let node = app.node_with(|_| {}).await.state;
        let mut client = app.user().await;
        let mut elsewhere = Client::new(router(node.clone(), axum::Router::new()));
        elsewhere.access.clone_from(&client.access);
        assert_eq!(elsewhere.get("/api/auth/session").await.status, 200);
        assert_eq!(client.logout().await.status, 204);
        assert_eq!(node.read_revocations().await.expect("reads"), 1);
        elsewhere.get("/api/auth/session").await.assert_problem(401, "invalid_token");
    }

    async fn revocations_are_read_incrementally_and_fully_after_errors(db: Db) {
        let app = TestApp::new(db).await;
        let node = app.node_with(|_| {}).await.state;
        let mut client = app.user().await;
        assert_eq!(client.logout().await.status, 204);
        assert_eq!(node.read_revocations().await.expect("reads"), 1);
        // As if it had existed before the last read.
        let at = app.state.clock.now().millis();
        let (columns, position, id) = if app.state.store.is_sqlite() {
            ("number", "-1", "x'01930000000070008000000000000001'")
        } else {
            ("written_by", "'3'::xid8", "'01930000000070008000000000000001'")
        };
        app.execute(&format!(
            "INSERT INTO ended_sessions ({columns}, session_id, ended_at) VALUES ({position}, {id}, {at})"
        ))
        .await;
        assert_eq!(node.read_revocations().await.expect("reads"), 1, "only what is new is read");
        node.store.force_full_read();
        assert_eq!(node.read_revocations().await.expect("reads"), 2);

        // A failed read may have missed something.
        app.execute("ALTER TABLE ended_accounts RENAME TO ended_accounts_away").await;
        assert!(node.read_revocations().await.is_err());
        app.execute("ALTER TABLE ended_accounts_away RENAME TO ended_accounts").await;
        let another = id.replace("0001'", "0002'");
        let position = position.replace('3', "4").replace("-1", "-2");
        app.execute(&format!(
            "INSERT INTO ended_sessions ({columns}, session_id, ended_at) VALUES ({position}, {another}, {at})"
        ))
        .await;
        assert_eq!(node.read_revocations().await.expect("reads"), 3);
    }

    async fn a_stale_revocation_cache_refuses_if_configured(db: Db) {
        for (refuse, expected) in [(true, 503), (false, 200)] {
            let app = TestApp::with(db.again(), |sections| sections.revocations.refuse_when_stale = refuse).await;
            let mut client = app.anonymous();
            let email = format!("ada{expected}@example.com");
            assert_eq!(client.register(&email, PASSWORD).await.status, 201);
            let state = app.without_fresh_revocations().await;
            let mut client = Client { router: router(state, axum::Router::new()), ..client };
            let answer = client.get("/api/auth/session").await;
            assert_eq!(answer.status, expected);
            if refuse {
                answer.assert_problem(503, "unavailable");
                assert!(answer.header("retry-after").is_some());
            }
        }
    }

    async fn an_unused_successor_is_replayed_without_limit(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut lost = client.clone();
        assert_eq!(client.refresh().await.status, 200);
        app.advance(Duration::from_hours(3 * 24));
        assert_eq!(lost.refresh().await.status, 200);
        assert_eq!(lost.refresh, client.refresh);
    }

    async fn using_the_new_access_token_confirms_the_rotation(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut thief = client.clone();
        assert_eq!(client.refresh().await.status, 200);
        assert_eq!(client.get("/api/auth/session").await.status, 200);
        app.advance(Duration::from_secs(11));
        // Nothing is written yet; pending uses count.
        let session = app.state.store.session(client.session_id()).await.expect("reads").expect("a session");
        assert_eq!(session.confirmed_at, None);
        thief.refresh().await.assert_problem(401, "refresh_reused");
    }

    async fn flushed_confirmations_apply_on_all_nodes(db: Db) {
        let app = TestApp::new(db).await;
        let node = app.node_with(|_| {}).await.state;
        let mut client = app.user().await;
        let mut thief = Client { router: router(node, axum::Router::new()), ..client.clone() };
        assert_eq!(client.refresh().await.status, 200);
        for _ in 0..3 {
            assert_eq!(client.get("/api/me").await.status, 200);
        }
        assert_eq!(app.state.store.flush_confirmations().await.expect("writes"), 1);
        assert_eq!(client.get("/api/me").await.status, 200);
        assert_eq!(app.state.store.flush_confirmations().await.expect("writes"), 0, "once for each generation");
        app.advance(Duration::from_secs(11));
        thief.refresh().await.assert_problem(401, "refresh_reused");
    }

    async fn flushed_confirmations_still_apply_on_the_same_node(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut thief = client.clone();
        assert_eq!(client.refresh().await.status, 200);
        assert_eq!(client.get("/api/me").await.status, 200);
        assert_eq!(app.state.store.flush_confirmations().await.expect("writes"), 1);
        app.advance(Duration::from_secs(11));
        thief.refresh().await.assert_problem(401, "refresh_reused");
    }

    async fn using_the_parents_access_token_does_not_confirm(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut lost = client.clone();
        assert_eq!(client.refresh().await.status, 200);
        assert_eq!(lost.get("/api/me").await.status, 200);
        assert_eq!(app.state.store.flush_confirmations().await.expect("writes"), 0);
        app.advance(Duration::from_mins(1));
        assert_eq!(lost.refresh().await.status, 200);
        assert_eq!(lost.refresh, client.refresh);
    }

    async fn confirmations_are_kept_when_a_flush_fails(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        assert_eq!(client.refresh().await.status, 200);
        assert_eq!(client.get("/api/auth/session").await.status, 200);
        app.execute("ALTER TABLE sessions RENAME TO sessions_away").await;
        assert!(app.state.store.flush_confirmations().await.is_err());
        app.execute("ALTER TABLE sessions_away RENAME TO sessions").await;
        assert_eq!(app.state.store.flush_confirmations().await.expect("writes"), 1);
    }

    async fn a_rotation_resets_the_confirmation(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        assert_eq!(client.refresh().await.status, 200);
        assert_eq!(client.get("/api/auth/session").await.status, 200);
        assert_eq!(app.state.store.flush_confirmations().await.expect("writes"), 1);
        let mut lost = client.clone();
        assert_eq!(client.refresh().await.status, 200);
        app.advance(Duration::from_mins(1));
        assert_eq!(lost.refresh().await.status, 200, "the successor was not used");
        assert_eq!(lost.refresh, client.refresh);
    }

    async fn the_parent_of_a_used_successor_keeps_its_grace_period(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        app.advance(Duration::from_hours(1));
        let mut other_tab = client.clone();
        assert_eq!(client.refresh().await.status, 200);
        assert_eq!(client.get("/api/auth/session").await.status, 200);
        app.advance(Duration::from_secs(10));
        assert_eq!(other_tab.refresh().await.status, 200);
        assert_eq!(other_tab.refresh, client.refresh);
    }

    async fn a_confirmation_applies_to_its_session_and_generation_only(db: Db) {
        let app = TestApp::new(db).await;
        let mut used = app.user().await;
        let mut unused = app.anonymous();
        assert_eq!(unused.login("ada@example.com", PASSWORD).await.status, 200);
        let mut lost = unused.clone();
        assert_eq!(unused.refresh().await.status, 200);
        assert_eq!(used.refresh().await.status, 200);
        assert_eq!(used.get("/api/auth/session").await.status, 200);
        assert_eq!(app.state.store.flush_confirmations().await.expect("writes"), 1);
        app.advance(Duration::from_mins(1));
        assert_eq!(lost.refresh().await.status, 200, "another session's use does not count");

        // Recorded, but overtaken by a rotation before it was written.
        assert_eq!(unused.get("/api/auth/session").await.status, 200);
        let mut lost = unused.clone();
        assert_eq!(unused.refresh().await.status, 200);
        assert_eq!(app.state.store.flush_confirmations().await.expect("writes"), 0);
        app.advance(Duration::from_mins(1));
        assert_eq!(lost.refresh().await.status, 200, "an older generation's use does not count");
    }
}

/// Transactions commit in another order than they begin.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_that_commits_late_is_read() {
    use sea_orm_migration::sea_orm::{ConnectionTrait, Database, TransactionTrait};

    let app = TestApp::new(Db::postgres().await).await;
    let node = app.node_with(|_| {}).await.state;
    let mut client = app.user().await;
    let other = Database::connect(&app.db.url).await.expect("connects");
    let late = other.begin().await.expect("begins");
    let at = app.state.clock.now().millis();
    late.execute_unprepared(&format!(
        "INSERT INTO ended_sessions (session_id, ended_at) VALUES ('01930000000070008000000000000001', {at})"
    ))
    .await
    .expect("inserts");
    assert_eq!(client.logout().await.status, 204);
    for _ in 0..3 {
        assert_eq!(node.read_revocations().await.expect("reads"), 1);
    }
    late.commit().await.expect("commits");
    assert_eq!(node.read_revocations().await.expect("reads"), 2);
}
