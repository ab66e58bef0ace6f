//! The content of the security log, and what it never contains.

use http::Method;
use serde_json::json;
use web::extract::Peer;

use crate::support::{Client, Db, PASSWORD, TestApp, TestResponse, log::Log};

const STRANGER: &str = "198.51.100.7";

async fn send(
    client: &mut Client,
    method: Method,
    path: &str,
    body: Option<serde_json::Value>,
) -> TestResponse {
    let mut request = client.request(method, path, body);
    let peer = format!("{STRANGER}:9").parse().expect("an address");
    request.extensions_mut().insert(Peer(peer));
    client.send(request).await
}

async fn fail(client: &mut Client, email: &str) -> TestResponse {
    let body = json!({ "email": email, "password": "a wrong password" });
    send(client, Method::POST, "/api/auth/login", Some(body)).await
}

/// The lines of one event.
fn lines(log: &Log, event: &str) -> Vec<String> {
    let marker = format!("event=\"{event}\"");
    let mut lines = log.lines();
    lines.retain(|line| line.contains("keyturn::security") && line.contains(&marker));
    lines
}

#[track_caller]
fn assert_says(line: &str, parts: &[&str]) {
    for part in parts {
        assert!(line.contains(part), "{part} is not in: {line}");
    }
}

/// Changes the last but one character of a token's signature.
fn forged(token: &str) -> String {
    let (head, signature) = token.rsplit_once('.').expect("a signature");
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{head}.{first}{}", &signature[1..])
}

#[tokio::test]
async fn a_failed_sign_in_has_a_line_that_says_who_and_from_where() {
    let app = TestApp::new(Db::sqlite()).await;
    let mut ada = app.user().await;
    let id = ada.get("/api/me").await.json()["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let log = Log::start();
    let refused = fail(&mut app.anonymous(), "ada@example.com").await;
    refused.assert_problem(401, "invalid_credentials");
    let request_id = format!("request_id={}", refused.header("x-request-id").expect("an id"));
    fail(&mut app.anonymous(), "unknown@example.com")
        .await
        .assert_problem(401, "invalid_credentials");
    let wrong = json!({ "current_password": "a wrong password" });
    send(&mut ada, Method::DELETE, "/api/account", Some(wrong))
        .await
        .assert_problem(401, "invalid_credentials");

    let failed = lines(&log, "sign_in_failed");
    assert_eq!(failed.len(), 2, "{failed:?}");
    assert_says(
        &failed[0],
        &[
            &request_id,
            "sign-in: failed",
            &format!("user={id}"),
            &format!("client={STRANGER}"),
        ],
    );
    assert_says(&failed[1], &["user=-", &format!("client={STRANGER}")]);
    let wrong = lines(&log, "current_password_wrong");
    assert_eq!(wrong.len(), 1);
    assert_says(&wrong[0], &[&format!("user={id}"), &format!("client={STRANGER}")]);
}

#[tokio::test]
async fn limits_that_are_hit_have_a_line_each() {
    let app = TestApp::with(Db::sqlite(), |sections| {
        sections.limits.attempts_per_minute = 15;
        sections.limits.refreshes_per_minute = 60;
    })
    .await;
    let mut ada = app.user().await;
    let id = ada.get("/api/me").await.json()["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let log = Log::start();
    for _ in 0..10 {
        fail(&mut app.anonymous(), "ada@example.com")
            .await
            .assert_problem(401, "invalid_credentials");
    }
    let hit = |limit: &str| {
        let of = format!("limit={limit} ");
        lines(&log, "limit_hit")
            .into_iter()
            .find(|line| line.contains(&of))
    };
    // While this runs, a few lines are allowed in addition to each burst.
    for _ in 0..500 {
        if hit("network").is_none() {
            fail(&mut app.anonymous(), "ada@example.com")
                .await
                .assert_problem(429, "rate_limited");
        }
        if hit("refresh").is_none() {
            ada.refresh().await;
        }
    }
    assert_says(
        &hit("sign_in").expect("a line"),
        &[&format!("user={id}"), &format!("client={STRANGER}")],
    );
    assert_says(
        &hit("network").expect("a line"),
        &["user=-", &format!("client={STRANGER}")],
    );
    assert_says(&hit("refresh").expect("a line"), &[&format!("user={id}")]);
}

#[tokio::test]
async fn attacks_have_one_security_log_line_each() {
    let app = TestApp::new(Db::sqlite()).await;
    let mut ada = app.user().await;
    let id = ada.get("/api/me").await.json()["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let mut thief = ada.clone();
    let log = Log::start();

    let mut request = ada.request(Method::POST, "/api/auth/logout", None);
    request
        .headers_mut()
        .insert("origin", "https://evil.example".parse().expect("a value"));
    app.anonymous()
        .send(request)
        .await
        .assert_problem(403, "cross_site_request");
    let mut request = ada.request(Method::POST, "/api/auth/refresh", None);
    request.headers_mut().remove("x-requested-with");
    app.anonymous()
        .send(request)
        .await
        .assert_problem(403, "cross_site_request");
    assert_eq!(lines(&log, "cross_site_refused").len(), 2);

    let mut forger = ada.clone();
    forger.access = ada.access.as_deref().map(forged);
    send(&mut forger, Method::GET, "/api/me", None)
        .await
        .assert_problem(401, "invalid_token");
    forger.refresh = ada.refresh.as_deref().map(forged);
    send(&mut forger, Method::POST, "/api/auth/refresh", None)
        .await
        .assert_problem(401, "refresh_invalid");
    let forgeries = lines(&log, "forged_token");
    assert_eq!(forgeries.len(), 2, "{forgeries:?}");
    assert_says(&forgeries[0], &["token=access", &format!("client={STRANGER}")]);
    assert_says(&forgeries[1], &["token=refresh", &format!("client={STRANGER}")]);
    // A text that is not a token is not a forgery.
    forger.access = Some("a.b.c".into());
    send(&mut forger, Method::GET, "/api/me", None)
        .await
        .assert_problem(401, "invalid_token");
    assert_eq!(lines(&log, "forged_token").len(), 2);

    for _ in 0..2 {
        assert_eq!(ada.refresh().await.status, 200);
    }
    app.advance(std::time::Duration::from_mins(1));
    send(&mut thief, Method::POST, "/api/auth/refresh", None)
        .await
        .assert_problem(401, "refresh_reused");
    let reused = lines(&log, "token_reused");
    assert_eq!(reused.len(), 1);
    assert_says(
        &reused[0],
        &[&format!("user={id}"), "session=", &format!("client={STRANGER}")],
    );
}

#[tokio::test]
async fn repeated_refusals_are_rate_limited_in_the_security_log() {
    let app = TestApp::new(Db::sqlite()).await;
    let log = Log::start();
    for _ in 0..300 {
        let mut request = app.anonymous().request(Method::POST, "/api/auth/logout", None);
        request
            .headers_mut()
            .insert("origin", "https://evil.example".parse().expect("a value"));
        app.anonymous()
            .send(request)
            .await
            .assert_problem(403, "cross_site_request");
    }
    let written = lines(&log, "cross_site_refused").len();
    assert!((1..=11).contains(&written), "{written}");
}

#[tokio::test]
async fn signing_key_changes_are_in_the_security_log() {
    use std::sync::Arc;
    use web::{
        random::{Random, SystemRandom},
        tokens::keys::{KeyManager, SigningStart},
    };

    let app = TestApp::new(Db::sqlite()).await;
    let log = Log::start();
    let clock = Arc::clone(&app.clock) as Arc<dyn rotation::Clock>;
    let random: Arc<dyn Random> = Arc::new(SystemRandom::default());
    let config = &app.state.config;
    let smith = KeyManager::new(
        config.signing,
        &config.master_secrets,
        &app.state.store,
        &clock,
        &random,
    )
    .for_operator();
    let first = smith.list().await.expect("keys")[0].entry.kid.as_str().to_owned();
    let next = smith
        .rotate(SigningStart::AfterPublication)
        .await
        .expect("rotates")
        .next
        .kid;
    let published = lines(&log, "key_published");
    assert_eq!(published.len(), 1);
    assert_says(
        &published[0],
        &["signing key: published", next.as_str(), "actor=\"command line\""],
    );
    assert_says(&lines(&log, "key_end_scheduled")[0], &[&first]);
    smith.revoke(&first).await.expect("revokes");
    assert_says(
        &lines(&log, "key_revoked")[0],
        &[&first, "actor=\"command line\""],
    );
    // Reading changes nothing, and a scheduled change is logged as scheduled.
    app.state.tokens.key_ring().tick().await.expect("ticks");
    let before = lines(&log, "key_published").len();
    app.state.tokens.key_ring().tick().await.expect("ticks");
    assert_eq!(lines(&log, "key_published").len(), before);
    app.advance(std::time::Duration::from_hours(91 * 24));
    app.state.tokens.key_ring().tick().await.expect("ticks");
    assert_says(&lines(&log, "key_published")[before], &["actor=\"schedule\""]);
}

#[tokio::test]
async fn the_log_contains_no_secrets_or_email_addresses() {
    let app = TestApp::new(Db::sqlite()).await;
    let mut ada = app.user().await;
    let log = Log::start();
    fail(&mut app.anonymous(), "ada@example.com").await;
    let (access, refresh) = (
        ada.access.clone().expect("a token"),
        ada.refresh.clone().expect("a token"),
    );
    let known = ada.known.clone().expect("a cookie");
    ada.access = Some(forged(&access));
    ada.refresh = Some(forged(&refresh));
    ada.get("/api/me").await;
    ada.refresh().await;
    let all = log.lines().join("\n");
    assert!(all.contains("keyturn::security"));
    for secret in [
        PASSWORD,
        "a wrong password",
        "ada@example.com",
        &access[..40],
        &refresh[..40],
        &known[..20],
        "eyJ",
    ] {
        assert!(!all.contains(secret), "{secret} is in the log");
    }
}
