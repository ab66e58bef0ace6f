//! `POST /api/auth/login`

use std::time::Duration;

use serde_json::json;

use crate::support::{Db, PASSWORD, TestApp, client::claims, db::until_it_waits, on_both_databases};

on_both_databases! {
    async fn the_right_password_signs_in(db: Db) {
        let app = TestApp::new(db).await;
        app.user().await;
        let mut client = app.anonymous();
        let answer = client.login("ADA@example.com ", PASSWORD).await;
        assert_eq!(answer.status, 200);
        insta::assert_json_snapshot!("signed_in", answer.json(), {
            ".access_token" => "[token]",
            ".user.id" => "[id]",
        });
        assert_eq!(client.get("/api/me").await.status, 200);
        assert_eq!(client.refresh().await.status, 200);
    }

    async fn unknown_address_and_wrong_password_look_the_same(db: Db) {
        let app = TestApp::new(db).await;
        app.user().await;
        let wrong = app.anonymous().login("ada@example.com", "another password").await;
        let unknown = app.anonymous().login("bob@example.com", "another password").await;
        let nonsense = app.anonymous().login("not an address", "another password").await;
        for answer in [&wrong, &unknown, &nonsense] {
            answer.assert_problem(401, "invalid_credentials");
            assert!(answer.set_cookie().is_none());
            assert_eq!(answer.body, wrong.body);
            let names = |answer: &crate::support::Answer| answer.headers.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(answer), names(&wrong));
        }
    }

    async fn a_password_counts_exactly_as_typed(db: Db) {
        let app = TestApp::new(db).await;
        let password = " Grüße vom Kettle ";
        assert_eq!(app.anonymous().register("ada@example.com", password).await.status, 201);
        assert_eq!(app.anonymous().login("ada@example.com", password).await.status, 200);
        for other in ["Grüße vom Kettle", " grüße vom kettle ", " Gru\u{308}ße vom Kettle "] {
            app.anonymous().login("ada@example.com", other).await.assert_problem(401, "invalid_credentials");
        }
    }

    async fn on_a_shared_computer_the_session_is_short(db: Db) {
        let app = TestApp::new(db).await;
        app.user().await;
        let mut client = app.anonymous();
        let body = json!({ "email": "ada@example.com", "password": PASSWORD, "remember": false });
        let answer = client.post("/api/auth/login", Some(body)).await;
        let attributes = answer.set_cookie().expect("a cookie").split_once("; ").expect("attributes").1;
        assert_eq!(attributes, "Path=/; Secure; HttpOnly; SameSite=Strict");

        app.advance(Duration::from_hours(11));
        let renewed = client.refresh().await;
        assert_eq!(renewed.status, 200);
        assert!(!renewed.set_cookie().expect("a cookie").contains("Max-Age"), "a rotation remembers the choice");
        app.advance(Duration::from_hours(12));
        client.refresh().await.assert_problem(401, "refresh_expired");
    }

    async fn a_new_sign_in_takes_the_place_of_the_old_session(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut old = client.clone();
        assert_eq!(client.login("ada@example.com", PASSWORD).await.status, 200);
        let (before, after) = (claims(&old.access.clone().expect("a token")), claims(&client.access.clone().expect("a token")));
        assert_ne!(before["sid"], after["sid"]);
        old.refresh().await.assert_problem(401, "session_revoked");
        assert_eq!(client.refresh().await.status, 200);
    }

    async fn a_failed_sign_in_leaves_the_old_session_alone(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        client.login("ada@example.com", "another password").await.assert_problem(401, "invalid_credentials");
        assert_eq!(client.refresh().await.status, 200);
    }

    async fn many_attempts_from_one_place_are_held_back(db: Db) {
        let app = TestApp::with(db, |sections| sections.limits.attempts_per_minute = 2).await;
        let peer = server::extract::Peer("192.0.2.7:1".parse().expect("an address"));
        let mut client = app.anonymous();
        let body = json!({ "email": "ada@example.com", "password": "another password" });
        for expected in [401, 401, 429] {
            let mut request = client.request(http::Method::POST, "/api/auth/login", Some(body.clone()));
            request.extensions_mut().insert(peer);
            // What a client claims about itself changes nothing.
            request.headers_mut().insert("x-forwarded-for", "198.51.100.1".parse().expect("a value"));
            let answer = client.send(request).await;
            if expected == 429 {
                answer.assert_problem(429, "rate_limited");
            }
            assert_eq!(answer.status, expected);
            assert_eq!(answer.header("retry-after").is_some(), expected == 429);
        }
    }
}

/// A login whose password was right, and whose account changes before its session is inserted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_races_a_change_of_the_account_does_not_survive_it() {
    use sea_orm_migration::sea_orm::{ConnectionTrait, Database, TransactionTrait};

    let app = TestApp::new(Db::postgres().await).await;
    app.user().await;
    let other = Database::connect(&app.db.url).await.expect("PostgreSQL answers");
    let change = other.begin().await.expect("a transaction");
    change
        .execute_unprepared("UPDATE users SET token_epoch = token_epoch + 1")
        .await
        .expect("an update");

    let mut client = app.anonymous();
    let login = tokio::spawn(async move { client.login("ada@example.com", PASSWORD).await });
    until_it_waits(&login, &other).await;
    change.commit().await.expect("commits");
    login
        .await
        .expect("an answer")
        .assert_problem(401, "invalid_credentials");
}
