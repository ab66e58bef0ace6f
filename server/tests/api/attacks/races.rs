//! Chapters R, D and T: what meets at the same time, a database that is not as it was, and clocks that move. Most of it is
//! in the tests of the rotation engine (`proof`); these are the cases that have no place there.

use std::time::Duration;

use http::Method;
use serde_json::json;
use tokio::task::JoinSet;

use super::target::Target;
use crate::support::{Client, Db, PASSWORD, TestApp, TestResponse, on_both_databases};

/// A client with a token that its session has gone past twice, after the grace.
async fn robbed(app: &TestApp, owner: &mut Client) -> Client {
    let thief = owner.clone();
    for _ in 0..2 {
        assert_eq!(owner.refresh().await.status, 200);
    }
    app.advance(Duration::from_secs(11));
    thief
}

async fn reuses(app: &TestApp) -> i64 {
    app.number("SELECT COUNT(*) FROM security_events WHERE kind = 'refresh_reused'")
        .await
}

/// What a refresh may be answered while something else happens to its session.
#[track_caller]
fn assert_definite_or_later(answer: &TestResponse, may_end: bool) {
    match answer.status {
        200 => assert!(answer.set_cookie().is_some()),
        401 => {
            assert!(may_end, "{}", answer.text());
            assert!(answer.clears_the_cookie(), "{}", answer.text());
        }
        409 | 503 => assert_eq!(answer.cookies_set().count(), 0, "{}", answer.text()),
        other => panic!("{other}: {}", answer.text()),
    }
}

/// What a database does that takes no writes any more: SQLite on a file system that was mounted read-only, PostgreSQL as a
/// standby.
async fn refuse_writes(app: &TestApp, refuse: bool) {
    use sea_orm_migration::sea_orm::ConnectionTrait;

    let value = if refuse { "ON" } else { "OFF" };
    if app.state.store.is_sqlite() {
        // Of the connection that writes. The store replaces it after an error, so this has to be said again.
        let connection = app.state.store.connection();
        connection
            .execute_unprepared(&format!("PRAGMA query_only = {value}"))
            .await
            .expect("a pragma");
    } else {
        let name = app.db.url.rsplit_once('/').expect("a name").1;
        app.execute(&format!(
            "BEGIN READ WRITE; ALTER DATABASE {name} SET default_transaction_read_only = {value}; COMMIT"
        ))
        .await;
        app.execute(TERMINATE).await;
    }
}

/// Ends all connections to this database but the one that says it.
const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                         WHERE datname = current_database() AND pid <> pg_backend_pid()";

/// Refreshes of one token at once with something else; answers the answers.
async fn refresh_against(
    client: &Client,
    count: usize,
    rival: impl Future<Output = TestResponse> + Send + 'static,
) -> (Vec<TestResponse>, TestResponse) {
    let mut refreshes = JoinSet::new();
    for _ in 0..count {
        let mut tab = client.clone();
        refreshes.spawn(async move { tab.refresh().await });
    }
    let rival = tokio::spawn(rival);
    (refreshes.join_all().await, rival.await.expect("no panic"))
}

on_both_databases! {
    async fn r_02_one_successor_or_one_reuse_when_the_grace_ends(db: Db) {
        let target = Target::new(db).await;
        let app = &target.app;
        let mut owner = target.user.clone();
        let parent = owner.clone();
        assert_eq!(owner.refresh().await.status, 200);
        let successor = owner.refresh.clone();
        // The successor was used, so the parent has ten seconds left. The clock passes their end while they arrive.
        assert_eq!(owner.get("/api/auth/session").await.status, 200);
        app.advance(Duration::from_millis(9_500));
        let mut tabs = JoinSet::new();
        for _ in 0..100 {
            let mut tab = parent.clone();
            app.advance(Duration::from_millis(10));
            tabs.spawn(async move {
                let answer = tab.refresh().await;
                (answer, tab.refresh)
            });
        }
        let mut ended = 0;
        for (answer, token) in tabs.join_all().await {
            assert_definite_or_later(&answer, true);
            match answer.status {
                200 => assert_eq!(token, successor, "never a second successor"),
                401 => ended += 1,
                other => panic!("{other}"),
            }
        }
        // Beyond the end it is a reuse: once, however many there are.
        assert_eq!(reuses(app).await, i64::from(ended > 0));
        assert_eq!(owner.refresh().await.status, if ended > 0 { 401 } else { 200 });
    }

    async fn r_06_deletion_ends_refreshes_that_race_it(db: Db) {
        let target = Target::new(db).await;
        let mut owner = target.user.clone();
        let deletion = async move {
            let request = owner.request(Method::DELETE, "/api/account", Some(json!({ "current_password": PASSWORD })));
            owner.send(request).await
        };
        let (refreshes, deleted) = refresh_against(&target.user, 20, deletion).await;
        assert_eq!(deleted.status, 204, "{}", deleted.text());
        for answer in &refreshes {
            assert_definite_or_later(answer, true);
            if answer.status == 200 {
                let value = answer.set_cookie().expect("a cookie").split([';', '=']).nth(1).expect("a value");
                assert_eq!(target.cookie(value).await.status, 401);
                let access = answer.json()["access_token"].as_str().expect("a token").to_owned();
                target.refuses_bearers([access]).await;
            }
        }
        assert_eq!(target.app.number("SELECT COUNT(*) FROM users").await, 0);
    }

    async fn r_08_reuse_detection_ends_refreshes_that_race_it(db: Db) {
        let target = Target::new(db).await;
        let mut owner = target.user.clone();
        let mut thief = robbed(&target.app, &mut owner).await;
        let (refreshes, caught) = refresh_against(&owner, 20, async move { thief.refresh().await }).await;
        caught.assert_problem(401, "refresh_reused");
        assert!(caught.clears_the_cookie());
        for answer in &refreshes {
            assert_definite_or_later(answer, true);
            if answer.status == 200 {
                let value = answer.set_cookie().expect("a cookie").split([';', '=']).nth(1).expect("a value");
                assert_eq!(target.cookie(value).await.status, 401);
            }
        }
        assert_eq!(owner.refresh().await.json()["reason"], "reuse_detected");
        assert_eq!(reuses(&target.app).await, 1);
    }

    async fn r_09_two_stale_tokens_at_once_are_one_reuse(db: Db) {
        let target = Target::new(db).await;
        let mut owner = target.user.clone();
        let first = owner.clone();
        assert_eq!(owner.refresh().await.status, 200);
        let second = robbed(&target.app, &mut owner).await;
        let mut thieves = JoinSet::new();
        for thief in [first, second].iter().cycle().take(20) {
            let mut thief = thief.clone();
            thieves.spawn(async move { thief.refresh().await });
        }
        for answer in thieves.join_all().await {
            assert_definite_or_later(&answer, true);
            assert_eq!(answer.status, 401, "{}", answer.text());
        }
        assert_eq!(reuses(&target.app).await, 1);
        assert_eq!(owner.refresh().await.status, 401);
    }

    async fn r_18_alternating_attacker_and_owner_are_detected(db: Db) {
        let target = Target::new(db).await;
        let (mut owner, mut thief) = (target.user.clone(), target.user.clone());
        // The thief goes first and uses what it got.
        assert_eq!(thief.refresh().await.status, 200);
        assert_eq!(thief.get("/api/me").await.status, 200);
        target.app.advance(Duration::from_secs(11));
        let found = owner.refresh().await;
        found.assert_problem(401, "refresh_reused");
        assert!(found.clears_the_cookie());
        thief.refresh().await.assert_problem(401, "session_revoked");
        thief.get("/api/me").await.assert_problem(401, "invalid_token");
    }

    async fn r_19_reuse_within_grace_is_detected_at_next_divergence(db: Db) {
        let target = Target::new(db).await;
        let (mut owner, mut thief) = (target.user.clone(), target.user.clone());
        assert_eq!(thief.refresh().await.status, 200);
        assert_eq!(thief.get("/api/me").await.status, 200);
        // Ten seconds: both hold the same successor, byte by byte.
        target.app.advance(Duration::from_secs(10));
        assert_eq!(owner.refresh().await.status, 200);
        assert_eq!(owner.refresh, thief.refresh);
        // From there one of them goes on, and the other is late.
        target.app.advance(Duration::from_mins(14));
        assert_eq!(owner.refresh().await.status, 200);
        assert_eq!(owner.get("/api/me").await.status, 200);
        target.app.advance(Duration::from_mins(14));
        thief.refresh().await.assert_problem(401, "refresh_reused");
        assert_eq!(owner.refresh().await.json()["reason"], "reuse_detected");
    }

    async fn r_23_a_revoked_session_stays_revoked_during_refreshes(db: Db) {
        let target = Target::new(db).await;
        let mut phone = target.app.anonymous();
        assert_eq!(phone.login("ada@example.com", PASSWORD).await.status, 200);
        let path = format!("/api/sessions/{}", phone.session_id());
        let mut owner = target.user.clone();
        let revocation = async move {
            let request = owner.request(Method::DELETE, &path, None);
            owner.send(request).await
        };
        let (refreshes, revoked) = refresh_against(&phone, 30, revocation).await;
        assert_eq!(revoked.status, 204, "{}", revoked.text());
        for answer in &refreshes {
            assert_definite_or_later(answer, true);
            if answer.status == 200 {
                let value = answer.set_cookie().expect("a cookie").split([';', '=']).nth(1).expect("a value");
                let late = target.cookie(value).await;
                late.assert_problem(401, "session_revoked");
                assert_eq!(late.json()["reason"], "revoked_by_user");
            }
        }
        // The other session of the account goes on.
        target.assert_unharmed_but_rotated().await;
    }

    async fn r_21_many_sessions_that_refresh_at_once_are_all_served(db: Db) {
        let app = TestApp::with(db, |sections| {
            sections.limits.enabled = false;
            sections.passwords.queue_timeout = Duration::from_mins(1);
            sections.http.request_timeout = Duration::from_mins(1);
            sections.database.timeout = Duration::from_secs(30);
        })
        .await;
        app.user().await;
        let mut sessions = Vec::new();
        for _ in 0..60 {
            let mut client = app.anonymous();
            assert_eq!(client.login("ada@example.com", PASSWORD).await.status, 200);
            sessions.push(client);
        }
        app.advance(Duration::from_mins(14));
        for _ in 0..2 {
            let mut refreshes = JoinSet::new();
            for mut client in sessions.drain(..) {
                refreshes.spawn(async move {
                    let answer = client.refresh().await;
                    assert_eq!(answer.status, 200, "{}", answer.text());
                    client
                });
            }
            sessions = refreshes.join_all().await;
        }
    }

    async fn d_03_a_read_only_database_ends_no_session(db: Db) {
        let mut target = Target::new(db).await;
        let mut user = target.user.clone();
        for _ in 0..3 {
            refuse_writes(&target.app, true).await;
            let refused = user.refresh().await;
            refused.assert_problem(503, "unavailable");
            assert_eq!(refused.cookies_set().count(), 0);
            assert!(refused.header("retry-after").is_some());
            // A sign-out that was not written is not confirmed.
            refuse_writes(&target.app, true).await;
            let left = target.user.clone().logout().await;
            left.assert_problem(503, "unavailable");
            assert_eq!(left.cookies_set().count(), 0);
        }
        refuse_writes(&target.app, false).await;
        // Connections that were lost meanwhile cost a request each at most.
        let mut attempts = 0;
        while target.user.refresh().await.status != 200 {
            attempts += 1;
            assert!(attempts < 50, "it recovers by itself");
        }
        target.assert_unharmed_but_rotated().await;
    }

    async fn d_18_a_long_session_keeps_a_bounded_number_of_rows(db: Db) {
        let target = Target::new(db).await;
        let mut owner = target.user.clone();
        for _ in 0..200 {
            assert_eq!(owner.refresh().await.status, 200);
        }
        // One row for the session, and one for each token that can still be presented.
        assert_eq!(target.app.number("SELECT COUNT(*) FROM sessions").await, 1);
        assert_eq!(target.app.number("SELECT COUNT(*) FROM token_blacklist").await, 200);
        // When they have expired they go.
        target.app.advance(Duration::from_hours(6 * 24));
        assert_eq!(owner.refresh().await.status, 200);
        target.app.advance(Duration::from_hours(2 * 24));
        let horizon = store::RetentionCutoff::new(target.app.state.clock.now(), &target.app.state.config.policy.lifetimes);
        while !target.app.state.store.prune(horizon).await.expect("prunes").is_empty() {}
        assert_eq!(target.app.number("SELECT COUNT(*) FROM token_blacklist").await, 0);
        assert_eq!(owner.refresh().await.status, 200);
    }

    async fn t_08_tokens_live_beyond_the_year_2038(db: Db) {
        // The second in which 32 bits end, a later century, and the end of what a date of four digits can say.
        for (number, moment) in [2_147_483_600, 4_102_444_800, 253_402_200_000_i64].into_iter().enumerate() {
            let app = TestApp::new(db.again()).await;
            let now = app.state.clock.now().secs();
            app.advance(Duration::from_secs(u64::try_from(moment - now).expect("the future")));
            let ring = app.state.tokens.key_ring();
            ring.tick().await.expect("ticks");
            ring.manager().rotate(web::tokens::keys::SigningStart::Immediately).await.expect("rotates");
            ring.reload().await.expect("reloads");
            let mut client = app.anonymous();
            let answer = client.register(&format!("user{number}@example.com"), PASSWORD).await;
            assert_eq!(answer.status, 201, "{}", answer.text());
            // Across the border.
            for _ in 0..3 {
                app.advance(Duration::from_mins(10));
                assert_eq!(client.refresh().await.status, 200, "{moment}");
                assert_eq!(client.get("/api/me").await.status, 200, "{moment}");
            }
            assert_eq!(client.get("/api/sessions").await.status, 200);
            app.advance(Duration::from_hours(8 * 24));
            client.refresh().await.assert_problem(401, "refresh_expired");
        }
    }
}

/// An operator, or a fail-over, that ends all connections at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_07_terminated_connections_end_no_session() {
    let target = Target::new(Db::postgres().await).await;
    let mut user = target.user.clone();
    for _ in 0..3 {
        target.app.execute(TERMINATE).await;
        let mut served = false;
        for _ in 0..50 {
            let before = user.refresh.clone();
            let answer = user.refresh().await;
            if answer.status == 200 {
                served = true;
                break;
            }
            answer.assert_problem(503, "unavailable");
            assert!(answer.set_cookie().is_none() && user.refresh == before);
        }
        assert!(served, "it recovers by itself");
        assert_eq!(user.get("/api/me").await.status, 200);
    }
}
