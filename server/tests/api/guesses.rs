//! Guessing one account's password: what delays a stranger, and what never delays the owner.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use web::extract::Peer;

use crate::support::{Client, Db, PASSWORD, TestApp, TestResponse, on_both_databases};

const WRONG: &str = "another password";
const ADA: &str = "ada@example.com";

/// A sign-in from this address.
async fn attempt(client: &mut Client, ip: &str, email: &str, password: &str) -> TestResponse {
    let body = json!({ "email": email, "password": password });
    let mut request = client.request(Method::POST, "/api/auth/login", Some(body));
    request
        .extensions_mut()
        .insert(Peer(format!("{ip}:1").parse().expect("an address")));
    client.send(request).await
}

/// Makes this many wrong attempts as strangers, one after the other, without waiting. Returns the last response.
async fn strangers_fail(app: &TestApp, email: &str, times: u32) -> TestResponse {
    let mut last = None;
    for number in 1..=times {
        let ip = format!("198.51.100.{number}");
        last = Some(attempt(&mut app.anonymous(), &ip, email, WRONG).await);
    }
    last.expect("at least once")
}

/// Makes strangers fail until the account allows no unknown browser to try again.
async fn exhaust(app: &TestApp, email: &str) {
    strangers_fail(app, email, 1)
        .await
        .assert_problem(401, "invalid_credentials");
    app.execute("UPDATE sign_in_failures SET failures = 99").await;
    strangers_fail(app, email, 1)
        .await
        .assert_problem(401, "invalid_credentials");
    app.advance(Duration::from_hours(2));
    strangers_fail(app, email, 1)
        .await
        .assert_problem(429, "rate_limited");
}

fn retry_after(answer: &TestResponse) -> u64 {
    answer
        .header("retry-after")
        .expect("a time to wait")
        .parse()
        .expect("seconds")
}

async fn timeline(app: &TestApp, client: &mut Client, kind: &str) -> Vec<Value> {
    app.state
        .guesses
        .write_timelines(&app.state.store)
        .await
        .expect("written");
    assert_eq!(client.refresh().await.status, 200);
    let page = client.get("/api/account/events?limit=100").await.json();
    let events = page["events"].as_array().expect("a list");
    events
        .iter()
        .filter(|event| event["kind"] == kind)
        .cloned()
        .collect()
}

async fn alarm(client: &mut Client) -> Option<Value> {
    let answer = client.get("/api/account/alarm").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json().get("alarm").cloned()
}

on_both_databases! {
    async fn parallel_guesses_from_many_addresses_are_throttled(db: Db) {
        let app = TestApp::new(db).await;
        app.user().await;
        let mut guesses = JoinSet::new();
        for number in 0..130 {
            let mut stranger = app.anonymous();
            guesses.spawn(async move { attempt(&mut stranger, &format!("198.51.100.{number}"), ADA, WRONG).await });
        }
        let mut statuses: Vec<_> = guesses.join_all().await.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        // 503 means that the password was not checked, because too many requests were waiting: the attempt is not
        // counted.
        let checked = statuses.iter().filter(|status| **status == 401).count();
        let held_back = statuses.iter().filter(|status| **status == 429).count();
        assert!(checked <= 10 && held_back >= 100, "{statuses:?}");
    }

    async fn the_sign_in_delay_doubles_and_is_sent_in_retry_after(db: Db) {
        let app = TestApp::new(db).await;
        app.user().await;
        for _ in 0..10 {
            strangers_fail(&app, ADA, 1).await.assert_problem(401, "invalid_credentials");
        }
        for expected in [30, 60, 120, 240, 480, 960, 1920, 3600, 3600] {
            let refused = strangers_fail(&app, ADA, 1).await;
            refused.assert_problem(429, "rate_limited");
            assert!(refused.set_cookie().is_none());
            let wait = retry_after(&refused);
            assert!((expected..=expected + 1).contains(&wait), "{wait} instead of {expected}");
            let detail = refused.json()["detail"].as_str().expect("a text").to_owned();
            assert!(detail.contains("where you signed in before"), "{detail}");
            // Refused attempts do not extend the delay.
            strangers_fail(&app, ADA, 3).await.assert_problem(429, "rate_limited");
            app.advance(Duration::from_secs(wait));
            strangers_fail(&app, ADA, 1).await.assert_problem(401, "invalid_credentials");
        }
    }

    async fn sign_in_is_blocked_after_a_hundred_consecutive_failures(db: Db) {
        let app = TestApp::new(db).await;
        app.user().await;
        strangers_fail(&app, ADA, 5).await.assert_problem(401, "invalid_credentials");
        app.execute("UPDATE sign_in_failures SET failures = failures + 85").await;
        let mut checked = 0;
        for _ in 0..30 {
            app.advance(Duration::from_hours(1));
            checked += usize::from(strangers_fail(&app, ADA, 1).await.status == 401);
        }
        assert_eq!(checked, 10);
        for days in [0, 1, 40, 400] {
            app.advance(Duration::from_hours(24 * days));
            // Pruning deletes none of it.
            let horizon = store::RetentionCutoff::new(app.state.clock.now(), &app.state.config.policy.lifetimes);
            app.state.store.prune(horizon).await.expect("prunes");
            let refused = attempt(&mut app.anonymous(), "192.0.2.1", ADA, PASSWORD).await;
            refused.assert_problem(429, "rate_limited");
            assert!(retry_after(&refused) >= 3600);
        }
    }

    async fn a_successful_sign_in_resets_the_failure_counter(db: Db) {
        let app = TestApp::new(db).await;
        app.user().await;
        for _ in 0..3 {
            strangers_fail(&app, ADA, 9).await.assert_problem(401, "invalid_credentials");
            assert_eq!(attempt(&mut app.anonymous(), "192.0.2.1", ADA, PASSWORD).await.status, 200);
        }
    }

    async fn a_known_browser_is_not_delayed_by_the_failures_of_others(db: Db) {
        let app = TestApp::new(db).await;
        let mut at_home = app.user().await;
        assert_eq!(at_home.logout().await.status, 204);
        let mut on_a_new_device = app.anonymous();
        exhaust(&app, ADA).await;
        attempt(&mut on_a_new_device, "192.0.2.1", ADA, PASSWORD).await.assert_problem(429, "rate_limited");
        // Even after typing errors.
        attempt(&mut at_home, "192.0.2.2", ADA, WRONG).await.assert_problem(401, "invalid_credentials");
        assert_eq!(attempt(&mut at_home, "192.0.2.2", ADA, PASSWORD).await.status, 200);
        // That resets the count for everyone.
        assert_eq!(attempt(&mut on_a_new_device, "192.0.2.1", ADA, PASSWORD).await.status, 200);
    }

    async fn revoked_or_foreign_sessions_do_not_bypass_the_throttle(db: Db) {
        let app = TestApp::new(db).await;
        let mut signed_in = app.user().await;
        let mut other = app.anonymous();
        assert_eq!(other.register("bob@example.com", PASSWORD).await.status, 201);
        exhaust(&app, ADA).await;
        for client in [&mut signed_in, &mut other] {
            client.known = None;
        }
        let mut ended = signed_in.clone();
        // Bob's session says nothing about Ada's account.
        attempt(&mut other, "192.0.2.1", ADA, PASSWORD).await.assert_problem(429, "rate_limited");
        assert_eq!(signed_in.clone().logout().await.status, 204);
        attempt(&mut ended, "192.0.2.1", ADA, PASSWORD).await.assert_problem(429, "rate_limited");
    }

    async fn an_active_session_bypasses_the_sign_in_throttle(db: Db) {
        let app = TestApp::new(db).await;
        let mut signed_in = app.user().await;
        strangers_fail(&app, ADA, 30).await.assert_problem(429, "rate_limited");
        signed_in.known = None;
        assert_eq!(attempt(&mut signed_in, "192.0.2.1", ADA, PASSWORD).await.status, 200);
    }

    async fn a_stolen_known_browser_cookie_is_still_throttled(db: Db) {
        let app = TestApp::new(db).await;
        let at_home = app.user().await;
        let mut thief = app.anonymous();
        thief.known.clone_from(&at_home.known);
        attempt(&mut thief, "198.51.100.1", ADA, WRONG).await.assert_problem(401, "invalid_credentials");
        app.execute("UPDATE sign_in_failures SET failures = failures + 89").await;
        let mut checked = 0;
        for _ in 0..30 {
            app.advance(Duration::from_hours(1));
            checked += usize::from(attempt(&mut thief, "198.51.100.1", ADA, WRONG).await.status == 401);
        }
        assert_eq!(checked, 10);
        // Only this browser's copy is delayed.
        assert_eq!(attempt(&mut app.anonymous(), "192.0.2.1", ADA, PASSWORD).await.status, 200);
        // It is worthless for another account.
        let mut bob = app.anonymous();
        assert_eq!(bob.register("bob@example.com", PASSWORD).await.status, 201);
        strangers_fail(&app, "bob@example.com", 10).await;
        attempt(&mut thief, "198.51.100.1", "bob@example.com", PASSWORD).await.assert_problem(429, "rate_limited");
    }

    async fn unknown_emails_are_throttled_like_existing_accounts(db: Db) {
        let app = TestApp::new(db).await;
        app.user().await;
        for number in 1..=12 {
            let known = strangers_fail(&app, ADA, 1).await;
            for (other, spelling) in [("unknown@example.com", " UNKNOWN@example.com "), ("no address", "no address")] {
                let unknown = strangers_fail(&app, if number % 2 == 0 { spelling } else { other }, 1).await;
                assert_eq!(unknown.status, known.status, "{number} {other}");
                assert_eq!(unknown.text_without_id(), known.text_without_id(), "{number} {other}");
                assert_eq!(unknown.header("retry-after"), known.header("retry-after"));
            }
        }
        strangers_fail(&app, "other@example.com", 1).await.assert_problem(401, "invalid_credentials");
    }

    async fn stale_failure_counters_are_pruned(db: Db) {
        let app = TestApp::new(db).await;
        app.user().await;
        for number in 0..5 {
            strangers_fail(&app, &format!("unknown{number}@example.com"), 1).await;
        }
        strangers_fail(&app, "often@example.com", 10).await;
        strangers_fail(&app, ADA, 3).await;
        for (days, left) in [(0, 0), (2, 5), (29, 1)] {
            app.advance(Duration::from_hours(24 * days));
            let horizon = store::RetentionCutoff::new(app.state.clock.now(), &app.state.config.policy.lifetimes);
            assert_eq!(app.state.store.prune(horizon).await.expect("prunes").guesses, left, "after {days} days");
        }
    }

    async fn failure_counters_are_shared_and_survive_a_restart(db: Db) {
        let here = TestApp::new(db).await;
        let there = here.node_with(|_| {}).await;
        here.user().await;
        strangers_fail(&here, ADA, 5).await.assert_problem(401, "invalid_credentials");
        strangers_fail(&there, ADA, 5).await.assert_problem(401, "invalid_credentials");
        strangers_fail(&here, ADA, 1).await.assert_problem(429, "rate_limited");
        drop(there);
        let here = here.restart().await;
        strangers_fail(&here, ADA, 1).await.assert_problem(429, "rate_limited");
    }

    async fn sign_in_fails_closed_without_the_failure_counter(db: Db) {
        let app = TestApp::new(db).await;
        app.user().await;
        app.execute("ALTER TABLE sign_in_failures RENAME TO gone").await;
        let answer = attempt(&mut app.anonymous(), "192.0.2.1", ADA, PASSWORD).await;
        assert!(answer.status >= 500, "{}", answer.text());
        assert!(answer.set_cookie().is_none() && answer.json()["access_token"].is_null());
    }

    async fn a_clock_step_back_does_not_extend_the_sign_in_delay(db: Db) {
        let app = TestApp::new(db).await;
        app.user().await;
        strangers_fail(&app, ADA, 11).await.assert_problem(429, "rate_limited");
        app.clock.step_back(Duration::from_hours(50));
        assert_eq!(attempt(&mut app.anonymous(), "192.0.2.1", ADA, PASSWORD).await.status, 200);
    }

    async fn current_password_checks_have_their_own_failure_counter(db: Db) {
        let app = TestApp::new(db).await;
        let mut thief = app.user().await;
        let owner = thief.clone();
        let wrong = json!({ "current_password": WRONG, "new_password": "a fresh kettle of moss" });
        for _ in 0..10 {
            thief.post("/api/account/password", Some(wrong.clone())).await.assert_problem(401, "invalid_credentials");
        }
        let refused = thief.post("/api/account/password", Some(wrong.clone())).await;
        refused.assert_problem(429, "rate_limited");
        assert!((30..=31).contains(&retry_after(&refused)));
        // One counter for every use of the current password, even with the correct one.
        let delete = json!({ "current_password": PASSWORD });
        let request = thief.request(Method::DELETE, "/api/account", Some(delete));
        thief.send(request).await.assert_problem(429, "rate_limited");
        // It does not delay signing in, and a sign-in resets it.
        let mut back = app.anonymous();
        back.known.clone_from(&owner.known);
        assert_eq!(attempt(&mut back, "192.0.2.1", ADA, PASSWORD).await.status, 200);
        let right = json!({ "current_password": PASSWORD, "new_password": "a fresh kettle of moss" });
        assert_eq!(back.post("/api/account/password", Some(right)).await.status, 200);
    }

    async fn failures_of_others_do_not_block_a_password_change(db: Db) {
        let app = TestApp::new(db).await;
        let mut owner = app.user().await;
        strangers_fail(&app, ADA, 20).await.assert_problem(429, "rate_limited");
        let right = json!({ "current_password": PASSWORD, "new_password": "a fresh kettle of moss" });
        assert_eq!(owner.post("/api/account/password", Some(right)).await.status, 200);
    }

    async fn sign_in_failures_are_grouped_hourly_in_the_event_list(db: Db) {
        let app = TestApp::new(db).await;
        let mut owner = app.user().await;
        app.advance(Duration::from_secs(1));
        strangers_fail(&app, ADA, 4).await;
        assert_eq!(timeline(&app, &mut owner, "sign_in_failed").await.len(), 1);
        app.advance(Duration::from_mins(20));
        strangers_fail(&app, ADA, 3).await;
        let entries = timeline(&app, &mut owner, "sign_in_failed").await;
        assert_eq!(entries.len(), 1, "{entries:?}");
        assert_eq!(entries[0]["count"], 7);
        assert_eq!(entries[0]["ip"], "198.51.100.3");
        app.advance(Duration::from_mins(50));
        strangers_fail(&app, ADA, 1).await;
        let entries = timeline(&app, &mut owner, "sign_in_failed").await;
        let counts: Vec<_> = entries.iter().map(|entry| entry["count"].clone()).collect();
        assert_eq!(counts, [1, 7]);
        // Delayed attempts guessed nothing.
        strangers_fail(&app, ADA, 30).await.assert_problem(429, "rate_limited");
        let entries = timeline(&app, &mut owner, "sign_in_failed").await;
        assert_eq!(entries[0]["count"], 3);
    }

    async fn after_many_failures_the_next_sign_in_shows_a_warning(db: Db) {
        let app = TestApp::new(db).await;
        let mut at_home = app.user().await;
        strangers_fail(&app, ADA, 9).await;
        app.advance(Duration::from_secs(1));
        assert_eq!(attempt(&mut at_home, "192.0.2.1", ADA, PASSWORD).await.status, 200);
        assert_eq!(alarm(&mut at_home).await, None, "nine raise no alarm");

        strangers_fail(&app, ADA, 12).await;
        app.advance(Duration::from_hours(1));
        strangers_fail(&app, ADA, 1).await;
        assert_eq!(at_home.refresh().await.status, 200);
        assert_eq!(alarm(&mut at_home).await, None, "at the next sign-in");
        assert_eq!(attempt(&mut at_home, "192.0.2.1", ADA, PASSWORD).await.status, 200);
        let told = alarm(&mut at_home).await.expect("a warning");
        assert_eq!((&told["kind"], &told["count"]), (&json!("many_failed_sign_ins"), &json!(11)));
        let seen = json!({ "id": told["id"] });
        assert_eq!(at_home.post("/api/account/alarm", Some(seen.clone())).await.status, 204);
        assert_eq!(at_home.post("/api/account/alarm", Some(seen)).await.status, 204);
        assert_eq!(alarm(&mut at_home).await, None);
        assert_eq!(timeline(&app, &mut at_home, "alarm_seen").await.len(), 1);
        // The timeline still has the exact number.
        assert_eq!(timeline(&app, &mut at_home, "many_failed_sign_ins").await[0]["count"], 11);
    }

    async fn a_reuse_alarm_is_shown_before_failed_sign_ins(db: Db) {
        let app = TestApp::new(db).await;
        let mut owner = app.user().await;
        let mut thief = owner.clone();
        for _ in 0..2 {
            assert_eq!(owner.refresh().await.status, 200);
        }
        app.advance(Duration::from_mins(1));
        thief.refresh().await.assert_problem(401, "refresh_reused");
        strangers_fail(&app, ADA, 10).await;
        app.advance(Duration::from_secs(1));
        assert_eq!(attempt(&mut owner, "192.0.2.1", ADA, PASSWORD).await.status, 200);
        let mut kinds = Vec::new();
        while let Some(told) = alarm(&mut owner).await {
            kinds.push(told["kind"].clone());
            let seen = json!({ "id": told["id"] });
            assert_eq!(owner.post("/api/account/alarm", Some(seen)).await.status, 204);
        }
        assert_eq!(kinds, ["refresh_reused", "many_failed_sign_ins"]);
    }

    async fn sign_in_without_remember_sets_no_known_browser_cookie(db: Db) {
        let app = TestApp::new(db).await;
        app.user().await;
        let mut shared = app.anonymous();
        let body = json!({ "email": ADA, "password": PASSWORD, "remember": false });
        let answer = shared.post("/api/auth/login", Some(body)).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.cookies_set().count(), 1);
    }

    async fn only_sign_in_sets_the_known_browser_cookie(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let known = client.known.clone().expect("a cookie");
        assert!(!known.contains("ada"));
        for answer in [client.refresh().await, client.get("/api/me").await, client.logout().await] {
            assert!(answer.known_cookie().is_none());
        }
        attempt(&mut client, "192.0.2.1", ADA, WRONG).await.assert_problem(401, "invalid_credentials");
        assert_eq!(client.known, Some(known));
    }
}

#[tokio::test]
async fn disabled_limits_throttle_nothing() {
    let app = TestApp::with(Db::sqlite(), |sections| sections.limits.enabled = false).await;
    app.user().await;
    strangers_fail(&app, ADA, 30)
        .await
        .assert_problem(401, "invalid_credentials");
    let mut client = app.anonymous();
    assert_eq!(client.register("bob@example.com", PASSWORD).await.status, 201);
    for _ in 0..150 {
        assert_eq!(client.refresh().await.status, 200);
    }
}
