//! `POST /api/auth/login`

use std::time::Duration;

use serde_json::json;

use crate::support::{Db, PASSWORD, TestApp, client::claims, db::until_it_waits, on_both_databases};

async fn account(app: &TestApp) -> store::users::User {
    let found = app.state.store.user_by_email("ada@example.com").await;
    found.expect("the database answers").expect("an account")
}

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
            assert_eq!(answer.text_without_id(), wrong.text_without_id());
            let names = |answer: &crate::support::TestResponse| answer.headers.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(answer), names(&wrong));
        }
    }

    async fn passwords_are_compared_exactly(db: Db) {
        let app = TestApp::new(db).await;
        let password = " Grüße vom Kettle ";
        assert_eq!(app.anonymous().register("ada@example.com", password).await.status, 201);
        assert_eq!(app.anonymous().login("ada@example.com", password).await.status, 200);
        for other in ["Grüße vom Kettle", " grüße vom kettle ", " Gru\u{308}ße vom Kettle "] {
            app.anonymous().login("ada@example.com", other).await.assert_problem(401, "invalid_credentials");
        }
    }

    async fn a_session_without_remember_is_short_lived(db: Db) {
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

    async fn a_new_sign_in_replaces_the_session_of_the_cookie(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut old = client.clone();
        assert_eq!(client.login("ada@example.com", PASSWORD).await.status, 200);
        let (before, after) = (claims(&old.access.clone().expect("a token")), claims(&client.access.clone().expect("a token")));
        assert_ne!(before["sid"], after["sid"]);
        old.refresh().await.assert_problem(401, "session_revoked");
        assert_eq!(client.refresh().await.status, 200);
    }

    async fn a_failed_sign_in_keeps_the_existing_session(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        client.login("ada@example.com", "another password").await.assert_problem(401, "invalid_credentials");
        assert_eq!(client.refresh().await.status, 200);
    }

    async fn sign_in_attempts_are_rate_limited_per_address(db: Db) {
        let app = TestApp::with(db, |sections| sections.limits.attempts_per_minute = 2).await;
        let peer = web::extract::Peer("192.0.2.7:1".parse().expect("an address"));
        let mut client = app.anonymous();
        let body = json!({ "email": "ada@example.com", "password": "another password" });
        for expected in [401, 401, 429] {
            let mut request = client.request(http::Method::POST, "/api/auth/login", Some(body.clone()));
            request.extensions_mut().insert(peer);
            // What a client claims about its address changes nothing.
            request.headers_mut().insert("x-forwarded-for", "198.51.100.1".parse().expect("a value"));
            let answer = client.send(request).await;
            if expected == 429 {
                answer.assert_problem(429, "rate_limited");
            }
            assert_eq!(answer.status, expected);
            assert_eq!(answer.header("retry-after").is_some(), expected == 429);
        }
    }

    async fn sign_in_rehashes_the_password_after_a_parameter_increase(db: Db) {
        let app = TestApp::new(db).await;
        let mut earlier = app.user().await;
        let app = app.restart_with(|sections| sections.passwords.iterations = 6).await;
        earlier.router = app.router.clone();
        let before = account(&app).await;
        assert!(before.password_hash.as_str().contains("$m=7168,t=5,p=1$"));

        app.anonymous().login("ada@example.com", "another password").await.assert_problem(401, "invalid_credentials");
        assert_eq!(account(&app).await.password_hash, before.password_hash, "a wrong password renews nothing");
        assert_eq!(app.anonymous().login("ada@example.com", PASSWORD).await.status, 200);
        let after = account(&app).await;
        assert!(after.password_hash.as_str().contains("$m=7168,t=6,p=1$"));
        assert_eq!(after.token_epoch, before.token_epoch);
        assert_eq!(earlier.refresh().await.status, 200, "no session ends: the password is the same");

        assert_eq!(app.anonymous().login("ada@example.com", PASSWORD).await.status, 200);
        assert_eq!(account(&app).await.password_hash, after.password_hash, "once is enough");
    }

    async fn concurrent_sign_ins_succeed_during_a_rehash(db: Db) {
        let app = TestApp::new(db).await;
        app.user().await;
        let app = app
            .restart_with(|sections| {
                sections.passwords.iterations = 6;
                sections.passwords.concurrency = 4;
                sections.passwords.queue_timeout = Duration::from_mins(2);
            })
            .await;
        let mut sign_ins = tokio::task::JoinSet::new();
        // The maximum number of concurrent attempts per account: each counts as a failure until it has succeeded.
        for _ in 0..10 {
            let mut client = app.anonymous();
            sign_ins.spawn(async move { client.login("ada@example.com", PASSWORD).await.status });
        }
        while let Some(status) = sign_ins.join_next().await {
            assert_eq!(status.expect("no panic"), 200);
        }
        assert!(account(&app).await.password_hash.as_str().contains("t=6,"));
    }

    async fn a_password_change_wins_over_a_concurrent_rehash(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let seen_at_sign_in = account(&app).await;
        let renewed = app.state.passwords.hash(web::passwords::Password::new(PASSWORD.to_owned())).await.expect("hashes");
        let body = json!({ "current_password": PASSWORD, "new_password": "a lantern under snow" });
        assert_eq!(client.post("/api/account/password", Some(body)).await.status, 200);

        let store = &app.state.store;
        let late = store.renew_password_hash(seen_at_sign_in.id, &seen_at_sign_in.password_hash, &renewed).await;
        assert!(!late.expect("the database answers"), "the stored hash has changed");
        app.anonymous().login("ada@example.com", PASSWORD).await.assert_problem(401, "invalid_credentials");
        assert_eq!(app.anonymous().login("ada@example.com", "a lantern under snow").await.status, 200);
    }

    async fn unsupported_stored_password_hashes_are_rejected(db: Db) {
        const END: &str = "c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let wrong = app.anonymous().login("ada@example.com", "another password").await;
        for stored in [
            format!("$argon2id$v=19$m=4194304,t=1,p=1${END}"),
            format!("$argon2id$v=19$m=19456,t=2000,p=1${END}"),
            format!("$argon2i$v=19$m=19456,t=2,p=1${END}"),
            "rubbish".to_owned(),
            String::new(),
        ] {
            app.execute(&format!("UPDATE users SET password_hash = '{stored}'")).await;
            let answer = app.anonymous().login("ada@example.com", PASSWORD).await;
            answer.assert_problem(401, "invalid_credentials");
            assert_eq!(answer.text_without_id(), wrong.text_without_id(), "strangers learn nothing");
            // A signed-in user is told that it is not their mistake, and stays signed in.
            let body = json!({ "current_password": PASSWORD, "new_password": "a lantern under snow" });
            client.post("/api/account/password", Some(body)).await.assert_problem(500, "internal_error");
            assert_eq!(client.get("/api/me").await.status, 200);
        }

        // The remedy: a new password.
        let ada = account(&app).await;
        let hash = app.state.passwords.hash(web::passwords::Password::new(PASSWORD.to_owned())).await.expect("hashes");
        let set = app.state.store.set_password(ada.id, &hash, &app.state.audit_context(store::ClientInfo::default())).await;
        assert!(set.expect("the database answers"));
        assert_eq!(app.anonymous().login("ada@example.com", PASSWORD).await.status, 200);
    }

    async fn distinct_parameters_of_stored_hashes_are_listed(db: Db) {
        let app = TestApp::new(db).await;
        let found = async || {
            let mut found = app.state.store.password_parameters(10).await.expect("the database answers");
            found.sort();
            found
        };
        assert_eq!(found().await, Vec::<String>::new());
        app.user().await;
        app.anonymous().register("bob@example.com", PASSWORD).await;
        assert_eq!(found().await, ["$argon2id$v=19$m=7168,t=5,p=1$"], "each once");
        let costly = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        app.execute(&format!("UPDATE users SET password_hash = '{costly}' WHERE email = 'bob@example.com'")).await;
        assert_eq!(found().await, ["$argon2id$v=19$m=65536,t=3,p=4$", "$argon2id$v=19$m=7168,t=5,p=1$"]);
        app.state.load_password_costs().await.expect("the database answers");
        app.execute("UPDATE users SET password_hash = 'rubbish'").await;
        app.state.load_password_costs().await.expect("invalid hashes are skipped");
    }
}

/// A login with the right password, whose account changes before its session is inserted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_races_an_account_change_is_rejected() {
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
