//! `sessions.max_per_account`

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::support::{Client, Db, PASSWORD, TestApp, http::TestListener, on_both_databases};

async fn limited(db: Db, max: u32) -> TestApp {
    TestApp::with(db, |sections| {
        sections.sessions.max_per_account = max;
        // Otherwise concurrent sign-ins of one account from unknown browsers are delayed.
        sections.limits.enabled = false;
        // Fifty passwords are hashed one after the other, on a possibly busy machine.
        sections.passwords.queue_timeout = Duration::from_mins(1);
        sections.http.request_timeout = Duration::from_mins(1);
        sections.database.timeout = Duration::from_secs(30);
    })
    .await
}

async fn sessions(client: &mut Client) -> Vec<Value> {
    let answer = client.get("/api/sessions?limit=100").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["sessions"].as_array().expect("a list").clone()
}

async fn signed_in(app: &TestApp) -> Client {
    app.advance(Duration::from_secs(1));
    let mut client = app.anonymous();
    assert_eq!(client.login("ada@example.com", PASSWORD).await.status, 200);
    client
}

on_both_databases! {
    async fn the_session_limit_revokes_the_least_recently_used(db: Db) {
        let app = limited(db, 3).await;
        let mut first = app.user().await;
        let mut second = signed_in(&app).await;
        let mut third = signed_in(&app).await;
        // Used after the second session.
        app.advance(Duration::from_secs(1));
        assert_eq!(first.refresh().await.status, 200);
        let mut fourth = signed_in(&app).await;

        second.get("/api/me").await.assert_problem(401, "invalid_token");
        let refused = second.refresh().await;
        refused.assert_problem(401, "session_revoked");
        assert_eq!(refused.json()["reason"], "session_limit");
        for client in [&mut first, &mut third, &mut fourth] {
            assert_eq!(client.get("/api/me").await.status, 200);
            assert_eq!(client.refresh().await.status, 200);
        }
        let events = fourth.get("/api/account/events").await.json();
        let events = events["events"].as_array().expect("a list");
        assert_eq!(events.iter().filter(|event| event["kind"] == "session_limit").count(), 1);
    }

    async fn revoked_and_expired_sessions_do_not_count_to_the_limit(db: Db) {
        let app = limited(db, 2).await;
        let mut first = app.user().await;
        let mut second = signed_in(&app).await;
        assert_eq!(second.logout().await.status, 204);
        let mut browser = signed_in(&app).await;
        // The same browser again: its own session is replaced, and makes room for the new one.
        assert_eq!(browser.login("ada@example.com", PASSWORD).await.status, 200);
        assert_eq!(first.get("/api/me").await.status, 200);
        assert_eq!(sessions(&mut first).await.len(), 2);

        app.advance(Duration::from_hours(8 * 24));
        let mut later = signed_in(&app).await;
        signed_in(&app).await;
        assert_eq!(later.get("/api/me").await.status, 200, "the expired ones do not count");
    }

    async fn the_session_limit_is_exact_under_parallel_logins(db: Db) {
        const MAX: usize = 10;
        let app = limited(db, 10).await;
        let mut owner = app.user().await;
        let server = TestListener::start(app.router.clone()).await;
        let body = json!({ "email": "ada@example.com", "password": PASSWORD }).to_string();
        let request = format!(
            "POST /api/auth/login HTTP/1.1\r\nhost: localhost:3000\r\norigin: http://localhost:3000\r\n\
             sec-fetch-site: same-origin\r\ncontent-type: application/json\r\nconnection: close\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let answers = server.at_once(50, &request).await;
        let signed_in = answers.iter().filter(|answer| answer.status == 200).count();
        assert!(signed_in > MAX, "{signed_in}");
        app.state.read_revocations().await.expect("reads");

        let mut alive = usize::from(owner.refresh().await.status == 200);
        for answer in answers.iter().filter(|answer| answer.status == 200) {
            let mut client = app.anonymous();
            client.refresh = answer.refresh_token().map(str::to_owned);
            let refreshed = client.refresh().await;
            match refreshed.status {
                200 => alive += 1,
                _ => assert_eq!(refreshed.json()["reason"], "session_limit", "{}", refreshed.text()),
            }
        }
        assert_eq!(alive, MAX);
    }

    async fn one_login_reduces_excess_sessions_to_the_limit(db: Db) {
        let app = limited(db, 5).await;
        let mut owner = app.user().await;
        crate::many_sessions::insert_sessions(&app, owner.session_id(), 2_000).await;
        app.advance(Duration::from_secs(1));
        assert_eq!(owner.refresh().await.status, 200);
        let mut newest = signed_in(&app).await;
        assert_eq!(sessions(&mut newest).await.len(), 5);
        assert_eq!(owner.get("/api/me").await.status, 200, "used a moment ago");
        assert_eq!(owner.refresh().await.status, 200);
        while app.state.store.finish_account_revocations().await.expect("marks") {}
        assert_eq!(sessions(&mut newest).await.len(), 5);
        assert_eq!(owner.refresh().await.status, 200);
    }

    async fn a_login_survives_a_concurrent_revocation_of_others(db: Db) {
        // Between the password check and the session's insert, another browser ends “all other sessions”.
        let app = TestApp::new(db).await;
        let mut laptop = app.user().await;
        let mut phone = signed_in(&app).await;
        let user = app.state.store.user_by_email("ada@example.com").await.expect("reads").expect("an account");
        let request = laptop.request(Method::DELETE, "/api/sessions", None);
        assert_eq!(laptop.send(request).await.status, 204);
        assert_eq!(phone.refresh().await.status, 401);
        let login = log_in(&app, &user).await;
        assert!(matches!(login, store::sessions::LoginOutcome::Done(_)), "{login:?}");
        // After “sign out everywhere” it does not begin.
        assert_eq!(laptop.post("/api/auth/logout-all", None).await.status, 204);
        let login = log_in(&app, &user).await;
        assert!(matches!(login, store::sessions::LoginOutcome::AccountChanged), "{login:?}");
    }
}

/// The second half of a login whose password was checked when the account was as `user`.
async fn log_in(app: &TestApp, user: &store::users::User) -> store::sessions::LoginOutcome {
    use store::sessions::{NewSession, SessionLimit, VerifiedCredentials};

    let now = app.state.clock.now();
    let end = now.saturating_add(Duration::from_hours(24));
    let new = NewSession {
        id: app.state.new_session_id(now),
        token: app.state.first_token(now, end, true),
        absolute_expires_at: end,
        remember: true,
        context: app.state.audit_context(store::ClientInfo::default()),
        replaces: None,
        limit: SessionLimit {
            max: 100,
            event: app.state.new_event(now),
        },
    };
    let who = VerifiedCredentials {
        user: user.id,
        token_epoch: user.token_epoch,
        password_hash: &user.password_hash,
    };
    app.state
        .store
        .log_in(&who, &new)
        .await
        .expect("the store answers")
}
