//! `POST /api/auth/refresh`

use std::{collections::HashSet, time::Duration};

use rotation::Generation;

use crate::support::{
    Db, PASSWORD, TestApp,
    client::{COOKIE, claims},
    db::until_it_waits,
    http::TestListener,
    on_both_databases,
};

on_both_databases! {
    async fn the_token_is_exchanged_for_its_successor(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let first = client.clone();
        app.advance(Duration::from_mins(20));

        let answer = client.refresh().await;
        assert_eq!(answer.status, 200);
        insta::assert_json_snapshot!("refreshed", answer.json(), { ".access_token" => "[token]" });
        let (before, after) =
            (claims(first.refresh.as_deref().expect("a token")), claims(client.refresh.as_deref().expect("a token")));
        assert_eq!(after["gen"], 2);
        assert_eq!(after["sid"], before["sid"]);
        assert_ne!(after["jti"], before["jti"]);
        assert_eq!(claims(client.access.as_deref().expect("a token"))["gen"], 2);
        assert_eq!(client.get("/api/me").await.status, 200);
        assert_eq!(app.state.store.blacklisted_generations(client.session_id()).await.expect("reads"), [Generation::FIRST]);
    }

    async fn a_hundred_concurrent_refreshes_rotate_once(db: Db) {
        let app = TestApp::new(db).await;
        let client = app.user().await;
        let sid = client.session_id();
        let server = TestListener::start(app.router.clone()).await;
        let token = client.refresh.as_deref().expect("a token");
        let request = format!(
            "POST /api/auth/refresh HTTP/1.1\r\nhost: localhost:3000\r\norigin: http://localhost:3000\r\n\
             cookie: {COOKIE}={token}\r\nx-requested-with: keyturn\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        let answers = server.at_once(100, &request).await;

        let statuses: HashSet<_> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, HashSet::from([200]));
        let successors: HashSet<_> = answers.iter().map(|answer| answer.refresh_token().expect("a token")).collect();
        assert_eq!(successors.len(), 1, "all answers carry the same successor");
        let session = app.state.store.session(sid).await.expect("reads").expect("a session");
        assert_eq!(session.live_token.generation, Generation::new(2));
        assert!(session.revocation.is_none());
        assert_eq!(app.state.store.blacklisted_generations(sid).await.expect("reads"), [Generation::FIRST]);
    }

    async fn a_retry_in_the_grace_period_gets_the_identical_successor(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut again = client.clone();
        assert_eq!(client.refresh().await.status, 200);
        app.advance(Duration::from_secs(10));
        assert_eq!(again.refresh().await.status, 200);
        assert_eq!(again.refresh, client.refresh);
    }

    async fn a_retry_after_a_server_restart_gets_the_same_successor(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let lost = client.clone();
        assert_eq!(client.refresh().await.status, 200);
        let app = app.restart().await;
        let mut again = app.anonymous();
        again.refresh = lost.refresh;
        assert_eq!(again.refresh().await.status, 200);
        assert_eq!(again.refresh, client.refresh);
    }

    async fn an_old_token_is_superseded_in_grace_and_reuse_afterwards(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut thief = client.clone();
        assert_eq!(client.refresh().await.status, 200);
        assert_eq!(client.refresh().await.status, 200);

        let stale = thief.refresh().await;
        stale.assert_problem(409, "refresh_superseded");
        assert!(stale.set_cookie().is_none(), "the cookie is left alone");
        assert_eq!(client.refresh().await.status, 200);

        app.advance(Duration::from_secs(11));
        let reused = thief.refresh().await;
        reused.assert_problem(401, "refresh_reused");
        assert!(reused.clears_the_cookie());
        let ended = client.refresh().await;
        ended.assert_problem(401, "session_revoked");
        assert_eq!(ended.json()["reason"], "reuse_detected");
        assert!(ended.clears_the_cookie());
    }

    async fn reuse_revokes_only_the_affected_session(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut thief = client.clone();
        let mut phone = app.anonymous();
        assert_eq!(phone.login("ada@example.com", crate::support::PASSWORD).await.status, 200);
        for _ in 0..2 {
            assert_eq!(client.refresh().await.status, 200);
        }
        app.advance(Duration::from_mins(1));
        thief.refresh().await.assert_problem(401, "refresh_reused");
        assert_eq!(phone.refresh().await.status, 200);
        let consumed = app.state.store.blacklisted_generations(phone.session_id()).await.expect("reads");
        assert_eq!(consumed, [Generation::FIRST], "its own and no others");
    }

    async fn without_a_grace_period_a_retry_is_reuse(db: Db) {
        let app = TestApp::with(db, |sections| sections.tokens.reuse_grace = Duration::ZERO).await;
        let mut client = app.user().await;
        let mut again = client.clone();
        assert_eq!(client.refresh().await.status, 200);
        again.refresh().await.assert_problem(401, "refresh_reused");
    }

    async fn an_idle_session_expires(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        app.advance(Duration::from_hours(7 * 24));
        let answer = client.refresh().await;
        answer.assert_problem(401, "refresh_expired");
        assert!(answer.clears_the_cookie());
    }

    async fn refreshing_does_not_extend_the_absolute_lifetime(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        for _ in 0..5 {
            app.advance(Duration::from_hours(6 * 24 - 5));
            assert_eq!(client.refresh().await.status, 200, "before the cap a session slides");
        }
        app.advance(Duration::from_hours(2 * 24));
        client.refresh().await.assert_problem(401, "refresh_expired");
    }

    async fn a_refresh_without_a_cookie_is_refused(db: Db) {
        let app = TestApp::new(db).await;
        let answer = app.anonymous().refresh().await;
        answer.assert_problem(401, "refresh_missing");
    }

    async fn forged_refresh_tokens_are_rejected_without_effect(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let good = client.refresh.clone().expect("a token");
        let (head, signature) = good.rsplit_once('.').expect("a signature");
        let forged = [
            String::new(),
            "x".to_owned(),
            "a.b.c".to_owned(),
            head.to_owned(),
            format!("{head}."),
            format!("{head}.{}", signature.chars().rev().collect::<String>()),
            format!("{good}x"),
            good.replacen("eyJ", "eyK", 1),
            client.access.clone().expect("a token"),
            "y".repeat(5000),
        ];
        for token in forged {
            let mut attacker = app.anonymous();
            attacker.refresh = Some(token.clone());
            let answer = attacker.refresh().await;
            answer.assert_problem(401, "refresh_invalid");
            assert!(answer.clears_the_cookie(), "{token}");
        }
        assert_eq!(client.refresh().await.status, 200, "the session is untouched");
    }

    async fn every_flipped_byte_is_noticed(db: Db) {
        let app = TestApp::new(db).await;
        let client = app.user().await;
        let good = client.refresh.clone().expect("a token");
        let now = rotation::Clock::now(&*app.clock);
        assert!(app.state.tokens.verify_refresh(&good, now).is_ok());
        for index in 0..good.len() {
            for bit in 0..7 {
                let mut bytes = good.clone().into_bytes();
                bytes[index] ^= 1 << bit;
                if let Ok(changed) = String::from_utf8(bytes) {
                    assert!(app.state.tokens.verify_refresh(&changed, now).is_err(), "byte {index}, bit {bit}");
                }
            }
        }
    }

    async fn duplicate_refresh_cookies_are_rejected_without_clearing(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let good = client.refresh.clone().expect("a token");
        for cookies in [format!("{COOKIE}={good}; {COOKIE}=junk"), format!("{COOKIE}=junk; {COOKIE}={good}")] {
            let mut request = client.request(http::Method::POST, "/api/auth/refresh", None);
            request.headers_mut().insert("cookie", cookies.parse().expect("a value"));
            let answer = client.send(request).await;
            answer.assert_problem(400, "ambiguous_cookie");
            assert!(answer.set_cookie().is_none());
        }
        assert_eq!(client.refresh().await.status, 200);
    }

    async fn malformed_other_cookies_are_ignored(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let good = client.refresh.clone().expect("a token");
        let mut request = client.request(http::Method::POST, "/api/auth/refresh", None);
        let header = format!("k\u{1f511}=\u{1f340}; %5F%5FHost-refresh=evil; {COOKIE}={good}");
        request.headers_mut().insert("cookie", http::HeaderValue::from_bytes(header.as_bytes()).expect("a value"));
        assert_eq!(client.send(request).await.status, 200);
    }

    async fn an_unavailable_database_ends_no_session(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        app.state.store.clone().close().await.expect("closes");
        let answer = client.refresh().await;
        answer.assert_problem(503, "unavailable");
        assert!(answer.header("retry-after").is_some());
        assert!(answer.set_cookie().is_none(), "the cookie is left alone");
        let app = app.restart().await;
        let mut back = app.anonymous();
        back.refresh = client.refresh;
        assert_eq!(back.refresh().await.status, 200);
    }

    async fn the_custom_header_is_required(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        for path in ["/api/auth/refresh", "/api/auth/logout"] {
            let mut request = client.request(http::Method::POST, path, None);
            request.headers_mut().remove("x-requested-with");
            client.send(request).await.assert_problem(403, "cross_site_request");
        }
        assert_eq!(client.refresh().await.status, 200);
    }

    async fn a_clock_that_is_set_back_ends_no_session(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut again = client.clone();
        app.clock.step_back(Duration::from_hours(1));
        assert_eq!(client.refresh().await.status, 200);
        assert_eq!(again.refresh().await.status, 200, "a retry");
        assert_eq!(again.refresh, client.refresh);
        app.clock.step_back(Duration::from_hours(1));
        assert_eq!(client.refresh().await.status, 200);
    }

    async fn a_disabled_account_cannot_refresh(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        app.execute("UPDATE users SET disabled_at = 1").await;
        let answer = client.clone().refresh().await;
        answer.assert_problem(401, "account_disabled");
        assert!(answer.clears_the_cookie());
        client.get("/api/me").await.assert_problem(401, "invalid_token");
        let body = serde_json::json!({ "display_name": "Mallory" });
        client.patch("/api/me", body).await.assert_problem(401, "invalid_token");
        app.anonymous().login("ada@example.com", crate::support::PASSWORD).await.assert_problem(401, "invalid_credentials");
    }

    async fn a_live_token_on_the_blacklist_is_reuse(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        // The rows contradict each other as after a restored backup: the blacklist has a rotation that the session does
        // not.
        app.execute(
            "INSERT INTO token_blacklist \
             SELECT current_jti, id, generation, 'rotated', created_at, refresh_expires_at FROM sessions",
        )
        .await;
        let sid = client.session_id();
        let mut copy = client.clone();
        let answer = client.refresh().await;
        answer.assert_problem(401, "refresh_reused");
        assert!(answer.clears_the_cookie());
        let session = app.state.store.session(sid).await.expect("reads").expect("a session");
        assert_eq!(session.live_token.generation, Generation::FIRST, "the rotation was undone");
        copy.get("/api/auth/session").await.assert_problem(401, "invalid_token");
        copy.refresh().await.assert_problem(401, "session_revoked");
    }

    async fn tokens_of_an_earlier_epoch_are_revoked(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        app.execute("UPDATE users SET token_epoch = token_epoch + 1").await;
        let answer = client.refresh().await;
        answer.assert_problem(401, "session_revoked");
        assert_eq!(answer.json()["reason"], "logout_all");
    }

    async fn tokens_from_refreshes_racing_a_logout_are_revoked(db: Db) {
        let app = TestApp::new(db).await;
        let client = app.user().await;
        let server = TestListener::start(app.router.clone()).await;
        let token = client.refresh.clone().expect("a token");
        let request = |path: &str| {
            format!(
                "POST {path} HTTP/1.1\r\nhost: localhost:3000\r\norigin: http://localhost:3000\r\n\
                 cookie: {COOKIE}={token}\r\nx-requested-with: keyturn\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
        };
        let (refresh, logout) = (request("/api/auth/refresh"), request("/api/auth/logout"));
        let (refreshes, logouts) = tokio::join!(server.at_once(50, &refresh), server.at_once(2, &logout));

        assert!(logouts.iter().all(|answer| answer.status == 204));
        for answer in &refreshes {
            assert!(matches!(answer.status, 200 | 401), "{}", answer.text);
            if let Some(token) = answer.refresh_token().filter(|token| !token.is_empty()) {
                let mut late = app.anonymous();
                late.refresh = Some(token.to_owned());
                late.refresh().await.assert_problem(401, "session_revoked");
            }
        }
        let session = app.state.store.session(client.session_id()).await.expect("reads").expect("a session");
        assert!(session.revocation.is_some());
    }
}

/// A concurrent change between the decision and the update: each condition of the update detects it independently.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_refresh_update_detects_concurrent_changes() {
    use sea_orm_migration::sea_orm::{ConnectionTrait, Database, TransactionTrait};

    for (change, code) in [
        ("current_jti = gen_random_uuid()", "refresh_reused"),
        ("generation = generation + 1", "refresh_reused"),
        ("revoked_at = 1, revoke_reason = 'logout'", "session_revoked"),
        ("refresh_expires_at = 1", "refresh_expired"),
    ] {
        let app = TestApp::new(Db::postgres().await).await;
        let mut client = app.user().await;
        let other = Database::connect(&app.db.url).await.expect("PostgreSQL answers");
        let rival = other.begin().await.expect("a transaction");
        rival
            .execute_unprepared(&format!("UPDATE sessions SET {change}"))
            .await
            .expect("an update");
        let refresh = tokio::spawn(async move { client.refresh().await });
        until_it_waits(&refresh, &other).await;
        rival.commit().await.expect("commits");
        let answer = refresh.await.expect("an answer");
        assert_eq!(answer.status, 401, "{change}");
        assert_eq!(answer.json()["code"], code, "{change}");
    }
}

/// If a session ends for another reason while a theft is discovered, it keeps that reason, and no alarm is raised.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reuse_racing_a_logout_reports_the_logout() {
    use sea_orm_migration::sea_orm::{ConnectionTrait, Database, TransactionTrait};

    let app = TestApp::new(Db::postgres().await).await;
    let mut client = app.user().await;
    let mut thief = client.clone();
    for _ in 0..2 {
        assert_eq!(client.refresh().await.status, 200);
    }
    app.advance(Duration::from_mins(1));
    let other = Database::connect(&app.db.url).await.expect("PostgreSQL answers");
    let logout = other.begin().await.expect("a transaction");
    logout
        .execute_unprepared("UPDATE sessions SET revoked_at = 1, revoke_reason = 'logout'")
        .await
        .expect("an update");
    let theft = tokio::spawn(async move { thief.refresh().await });
    until_it_waits(&theft, &other).await;
    logout.commit().await.expect("commits");
    let answer = theft.await.expect("an answer");
    answer.assert_problem(401, "session_revoked");
    assert_eq!(answer.json()["reason"], "logout");
}

on_both_databases! {
    async fn refreshes_are_rate_limited_per_session(db: Db) {
        let app = TestApp::with(db, |sections| sections.limits.refreshes_per_minute = 60).await;
        let mut client = app.user().await;
        let mut granted = 0;
        let limited = loop {
            let before = client.refresh.clone();
            let answer = client.refresh().await;
            if answer.status != 200 {
                assert_eq!(client.refresh, before, "the cookie stays");
                break answer;
            }
            granted += 1;
            // While this runs, one refresh per second is allowed in addition to the burst.
            assert!(granted < 1000, "there is no limit");
        };
        assert!(granted >= 60, "{granted}");
        limited.assert_problem(429, "rate_limited");
        assert!(limited.set_cookie().is_none());
        let wait: u64 = limited.header("retry-after").expect("a wait").parse().expect("seconds");
        assert!((1..=2).contains(&wait), "{wait}");
        // Another session of the same person is not affected.
        let mut phone = app.anonymous();
        assert_eq!(phone.login("ada@example.com", PASSWORD).await.status, 200);
        assert_eq!(phone.refresh().await.status, 200);
        assert_eq!(client.get("/api/me").await.status, 200);
    }

    async fn forged_tokens_do_not_count_toward_the_rate_limit(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut forger = client.clone();
        for _ in 0..200 {
            forger.refresh = client.refresh.as_deref().map(|token| format!("{}x", &token[..token.len() - 1]));
            forger.refresh().await.assert_problem(401, "refresh_invalid");
        }
        for _ in 0..100 {
            assert_eq!(client.refresh().await.status, 200);
        }
    }

    async fn rapid_reloads_and_concurrent_tabs_stay_signed_in(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        for _ in 0..20 {
            assert_eq!(client.refresh().await.status, 200);
            app.advance(Duration::from_millis(100));
        }
        app.refresh_in_50_tabs(&mut client).await;
        assert_eq!(client.refresh().await.status, 200);
    }
}
