//! `POST /api/auth/register`

use rotation::Clock;
use serde_json::json;

use crate::support::{
    Db, PASSWORD, TestApp,
    client::{claims, token_header},
    http::TestListener,
    on_both_databases,
};

on_both_databases! {
    async fn a_new_account_is_signed_in(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.anonymous();
        let body = json!({ "email": " Ada@Example.com ", "password": PASSWORD, "display_name": "Ada" });
        let answer = client.post("/api/auth/register", Some(body)).await;

        assert_eq!(answer.status, 201);
        insta::assert_json_snapshot!("registered", answer.json(), {
            ".access_token" => "[token]",
            ".user.id" => "[id]",
        });
        let cookie = answer.set_cookie().expect("a cookie");
        let (value, attributes) = cookie.split_once("; ").expect("attributes");
        assert!(value.starts_with("__Host-refresh=ey"));
        assert_eq!(attributes, "Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=604800");
        assert!(!answer.text().contains(client.refresh.as_deref().expect("a token")), "the body holds the refresh token");

        let me = client.get("/api/me").await;
        assert_eq!(me.json()["email"], "Ada@Example.com");
    }

    async fn issued_tokens_have_the_specified_claims(db: Db) {
        let app = TestApp::new(db).await;
        let client = app.user().await;
        let access = client.access.expect("a token");
        let refresh = client.refresh.expect("a token");

        let kid = app.state.tokens.key_ring();
        let jwks = serde_json::to_value(kid.jwks(app.clock.now())).expect("serialises");
        assert_eq!(
            token_header(&access),
            json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": jwks["keys"][0]["kid"] })
        );
        let at = claims(&access);
        assert_eq!(at["iss"], "http://localhost:3000");
        assert_eq!(at["aud"], "keyturn");
        assert_eq!(at["client_id"], "keyturn-web");
        assert_eq!(at["gen"], 1);
        assert_eq!(at["role"], "user");
        assert_eq!(at["exp"].as_i64().expect("exp") - at["iat"].as_i64().expect("iat"), 900);
        assert_eq!(at["auth_time"], at["iat"]);

        assert_eq!(token_header(&refresh)["typ"], "rt+jwt");
        assert_eq!(token_header(&refresh)["alg"], "HS256");
        let rt = claims(&refresh);
        assert_eq!(rt["aud"], "http://localhost:3000/api/auth/refresh");
        assert_eq!((&rt["sid"], &rt["sub"], &rt["gen"]), (&at["sid"], &at["sub"], &at["gen"]));
        assert_ne!(rt["jti"], at["jti"]);
        assert_eq!(rt["exp"].as_i64().expect("exp") - rt["iat"].as_i64().expect("iat"), 604_800);
    }

    async fn an_email_can_be_registered_only_once(db: Db) {
        let app = TestApp::new(db).await;
        app.user().await;
        for email in ["ada@example.com", "ADA@EXAMPLE.COM", "  ada@example.com "] {
            let answer = app.anonymous().register(email, PASSWORD).await;
            answer.assert_problem(409, "email_taken");
            assert!(answer.set_cookie().is_none());
        }
    }

    async fn concurrent_registrations_create_one_account(db: Db) {
        let app = TestApp::with(db, |sections| {
            sections.passwords.queue_timeout = std::time::Duration::from_mins(2);
            sections.http.request_timeout = std::time::Duration::from_mins(2);
        })
        .await;
        let server = TestListener::start(app.router.clone()).await;
        let body = json!({ "email": "ada@example.com", "password": PASSWORD }).to_string();
        let request = format!(
            "POST /api/auth/register HTTP/1.1\r\nhost: localhost:3000\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        let answers = server.at_once(100, &request).await;
        let count = |status| answers.iter().filter(|answer| answer.status == status).count();
        assert_eq!((count(201), count(409)), (1, 99));
        assert_eq!(app.number("SELECT COUNT(*) FROM users").await, 1);
    }

    async fn refused_fields_are_named_all_at_once(db: Db) {
        let app = TestApp::new(db).await;
        let body = json!({ "email": "not-an-address", "password": "short", "display_name": "x".repeat(65) });
        let answer = app.anonymous().post("/api/auth/register", Some(body)).await;
        answer.assert_problem(422, "validation_failed");
        insta::assert_json_snapshot!("refused_fields", answer.json(), { ".request_id" => "[id]" });
    }

    async fn weak_passwords_are_rejected_at_registration(db: Db) {
        let app = TestApp::new(db).await;
        for (password, code) in [
            ("fourteen chars", "too_short"),
            (&"x y z w v ".repeat(26)[..257], "too_long"),
            ("passwordpassword", "too_common"),
            ("my lovelace secret", "contains_email"),
        ] {
            let answer = app.anonymous().register("lovelace@example.com", password).await;
            answer.assert_problem(422, "validation_failed");
            assert_eq!(answer.json()["errors"][0]["code"], code, "{password}");
        }
    }

    async fn unknown_registration_fields_are_rejected(db: Db) {
        let app = TestApp::new(db).await;
        for (field, value) in [("role", json!("admin")), ("id", json!("1")), ("token_epoch", json!(9))] {
            let mut body = json!({ "email": "ada@example.com", "password": PASSWORD });
            body[field] = value;
            let answer = app.anonymous().post("/api/auth/register", Some(body)).await;
            answer.assert_problem(422, "validation_failed");
        }
    }

    async fn registration_revokes_the_session_of_the_cookie(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut old = client.clone();
        assert_eq!(client.register("grace@example.com", PASSWORD).await.status, 201);
        let answer = old.refresh().await;
        answer.assert_problem(401, "session_revoked");
        assert_eq!(answer.json()["reason"], "replaced");
        assert_eq!(client.refresh().await.status, 200);
    }
}
