//! `GET /api/auth/session`, and what makes an access token valid.

use std::time::Duration;

use rotation::Clock;

use web::config::RawConfig;

use crate::support::{Client, Db, PASSWORD, TestApp, client::claims};

#[tokio::test]
async fn the_session_endpoint_needs_no_database() {
    let app = TestApp::new(Db::sqlite()).await;
    let mut client = app.user().await;
    app.state.store.clone().close().await.expect("closes");
    let answer = client.get("/api/auth/session").await;
    assert_eq!(answer.status, 200);
    let token = claims(client.access.as_deref().expect("a token"));
    let session = answer.json();
    for (member, claim) in [
        ("sub", "sub"),
        ("sid", "sid"),
        ("generation", "gen"),
        ("role", "role"),
        ("exp", "exp"),
    ] {
        assert_eq!(session[member], token[claim]);
    }
    assert_eq!(session["auth_time"], token["auth_time"]);
}

#[tokio::test]
async fn an_access_token_expires_after_exactly_15_minutes() {
    let app = TestApp::new(Db::sqlite()).await;
    let mut client = app.user().await;
    // The clock starts a quarter of a second after a full second.
    app.advance(Duration::from_millis(899_749));
    assert_eq!(client.get("/api/auth/session").await.status, 200);
    app.advance(Duration::from_millis(1));
    let answer = client.get("/api/auth/session").await;
    answer.assert_problem(401, "invalid_token");
    assert_eq!(
        answer.header("www-authenticate"),
        Some(r#"Bearer error="invalid_token""#)
    );
}

#[tokio::test]
async fn every_flipped_byte_is_noticed() {
    let app = TestApp::new(Db::sqlite()).await;
    let client = app.user().await;
    let good = client.access.expect("a token");
    let now = app.clock.now();
    assert!(app.state.tokens.verify_access(&good, now).is_ok());
    for index in 0..good.len() {
        for bit in 0..7 {
            let mut bytes = good.clone().into_bytes();
            bytes[index] ^= 1 << bit;
            if let Ok(changed) = String::from_utf8(bytes) {
                assert!(
                    app.state.tokens.verify_access(&changed, now).is_err(),
                    "byte {index}, bit {bit}"
                );
            }
        }
        assert!(
            app.state.tokens.verify_access(&good[..index], now).is_err(),
            "cut at {index}"
        );
    }
}

#[tokio::test]
async fn access_and_refresh_tokens_are_not_interchangeable() {
    let app = TestApp::new(Db::sqlite()).await;
    let mut client = app.user().await;
    std::mem::swap(&mut client.access, &mut client.refresh);
    client
        .get("/api/auth/session")
        .await
        .assert_problem(401, "invalid_token");
    client.refresh().await.assert_problem(401, "refresh_invalid");
}

#[tokio::test]
async fn access_tokens_survive_restarts_but_fail_under_other_keys() {
    let app = TestApp::new(Db::sqlite()).await;
    let mut client = app.user().await;
    let stranger = TestApp::new(Db::sqlite()).await;
    let mut abroad = stranger.anonymous();
    abroad.access.clone_from(&client.access);
    abroad
        .get("/api/auth/session")
        .await
        .assert_problem(401, "invalid_token");

    let app = app.restart().await;
    let mut back = app.anonymous();
    back.access = client.access.take();
    assert_eq!(back.get("/api/auth/session").await.status, 200);
}

#[tokio::test]
async fn an_access_token_in_the_query_string_is_rejected() {
    let app = TestApp::new(Db::sqlite()).await;
    let mut client = app.user().await;
    let token = client.access.take().expect("a token");
    client
        .get(&format!("/api/auth/session?access_token={token}"))
        .await
        .assert_problem(401, "invalid_token");
    client
        .get("/api/auth/session")
        .await
        .assert_problem(401, "invalid_token");
}

/// The same keys and the same secret, but for another audience or issuer (RFC 7519 §4.1.1, §4.1.3): such a token is
/// accepted nowhere, and cannot end a session.
#[tokio::test]
async fn tokens_of_another_issuer_or_audience_are_rejected() {
    let app = TestApp::new(Db::sqlite()).await;
    app.user().await;
    let by_others =
        |sections: &mut RawConfig| sections.tokens.issuer = Some("https://elsewhere.example".into());
    let for_others = |sections: &mut RawConfig| sections.tokens.audience = "another service".into();
    let changes: [fn(&mut RawConfig); 2] = [by_others, for_others];
    for change in changes {
        let elsewhere = app.node_with(change).await;
        let mut theirs = elsewhere.anonymous();
        assert_eq!(theirs.login("ada@example.com", PASSWORD).await.status, 200);
        let mut bearer = Client {
            known: None,
            router: app.router.clone(),
            refresh: None,
            access: theirs.access.clone(),
        };
        bearer
            .get("/api/auth/session")
            .await
            .assert_problem(401, "invalid_token");
        assert_eq!(bearer.logout().await.status, 204);
        assert_eq!(theirs.refresh().await.status, 200, "nothing has ended");
    }

    let elsewhere = app.node_with(by_others).await;
    let mut theirs = elsewhere.anonymous();
    assert_eq!(theirs.login("ada@example.com", PASSWORD).await.status, 200);
    let mut cookie = Client {
        known: None,
        router: app.router.clone(),
        refresh: theirs.refresh.clone(),
        access: None,
    };
    cookie
        .clone()
        .refresh()
        .await
        .assert_problem(401, "refresh_invalid");
    assert_eq!(cookie.logout().await.status, 204);
    assert_eq!(theirs.refresh().await.status, 200, "nothing has ended");
}
