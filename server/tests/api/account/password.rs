//! `POST /api/account/password`

use std::time::Duration;

use serde_json::json;
use store::{
    ClientInfo,
    sessions::{LoginOutcome, NewSession, SessionLimit, VerifiedCredentials},
    users::PasswordHash,
};

use crate::support::{Client, Db, PASSWORD, TestApp, client::claims, on_both_databases};

const NEW: &str = "a lantern under snow";

async fn change(client: &mut Client, current: &str, new: &str) -> crate::support::TestResponse {
    let body = json!({ "current_password": current, "new_password": new });
    client.post("/api/account/password", Some(body)).await
}

fn new_session(app: &TestApp) -> NewSession {
    let now = app.state.clock.now();
    let end = now.saturating_add(Duration::from_hours(24));
    NewSession {
        id: app.state.new_session_id(now),
        token: app.state.first_token(now, end, true),
        absolute_expires_at: end,
        remember: true,
        context: app.state.audit_context(ClientInfo::default()),
        replaces: None,
        limit: SessionLimit {
            max: 100,
            event: app.state.new_event(now),
        },
    }
}

on_both_databases! {
    async fn a_password_change_revokes_all_sessions_and_issues_a_new_one(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut before = client.clone();
        let mut phone = app.anonymous();
        assert_eq!(phone.login("ada@example.com", PASSWORD).await.status, 200);

        let answer = change(&mut client, PASSWORD, NEW).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["user"]["email"], "ada@example.com");
        assert_ne!(
            claims(client.access.as_deref().expect("a token"))["sid"],
            claims(before.access.as_deref().expect("a token"))["sid"]
        );
        assert_eq!(client.get("/api/me").await.status, 200);
        assert_eq!(client.refresh().await.status, 200);

        for older in [&mut before, &mut phone] {
            older.get("/api/auth/session").await.assert_problem(401, "invalid_token");
            let refused = older.refresh().await;
            refused.assert_problem(401, "session_revoked");
            assert_eq!(refused.json()["reason"], "password_changed");
        }
        app.anonymous().login("ada@example.com", PASSWORD).await.assert_problem(401, "invalid_credentials");
        assert_eq!(app.anonymous().login("ada@example.com", NEW).await.status, 200);
    }

    async fn a_wrong_current_password_changes_nothing(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        for current in [String::new(), "not my password at all".into(), "x".repeat(10_000)] {
            let answer = change(&mut client, &current, NEW).await;
            answer.assert_problem(401, "invalid_credentials");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "the token is not what is wrong");
            assert_eq!(answer.json()["errors"][0]["field"], "current_password");
        }
        assert_eq!(client.refresh().await.status, 200);
        assert_eq!(app.anonymous().login("ada@example.com", PASSWORD).await.status, 200);
    }

    async fn a_new_password_must_satisfy_the_password_policy(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        for (new, code) in [("short", "too_short"), ("passwordpassword", "too_common"), (PASSWORD, "unchanged")] {
            let answer = change(&mut client, PASSWORD, new).await;
            answer.assert_problem(422, "validation_failed");
            assert_eq!(answer.json()["errors"][0]["field"], "new_password");
            assert_eq!(answer.json()["errors"][0]["code"], code);
        }
    }

    async fn only_one_of_two_concurrent_password_changes_succeeds(db: Db) {
        let app = TestApp::new(db).await;
        let client = app.user().await;
        let (mut one, mut two) = (client.clone(), client);
        let (first, second) = tokio::join!(change(&mut one, PASSWORD, NEW), change(&mut two, PASSWORD, "seven quiet harbours"));
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        assert!(statuses == [200, 401], "{statuses:?}");
        let new = app.anonymous().login("ada@example.com", NEW).await.status;
        let other = app.anonymous().login("ada@example.com", "seven quiet harbours").await.status;
        assert_eq!([new, other].iter().filter(|status| **status == 200).count(), 1);
    }

    async fn credentials_verified_before_an_account_change_are_refused(db: Db) {
        let app = TestApp::new(db).await;
        app.user().await;
        let store = &app.state.store;
        for change in [
            "UPDATE users SET password_hash = 'another'",
            "UPDATE users SET token_epoch = token_epoch + 1",
            "UPDATE users SET disabled_at = 1",
            "DELETE FROM users",
        ] {
            let user = store.user_by_email("ada@example.com").await.expect("reads").expect("an account");
            let who = VerifiedCredentials { user: user.id, token_epoch: user.token_epoch, password_hash: &user.password_hash };
            app.execute(change).await;
            let login = store.log_in(&who, &new_session(&app)).await;
            assert!(matches!(login, Ok(LoginOutcome::AccountChanged)), "{change}: {login:?}");
            let hash = PasswordHash::new("mine".to_owned());
            let changed = store.change_password(&who, &hash, &new_session(&app)).await;
            assert!(matches!(changed, Ok(LoginOutcome::AccountChanged)), "{change}: {changed:?}");
            let deleted = store.delete_own_account(&who, &app.state.audit_context(ClientInfo::default())).await;
            assert!(matches!(deleted, Ok(false)), "{change}: {deleted:?}");
        }
    }

    async fn a_password_change_keeps_the_cookie_lifetime(db: Db) {
        let app = TestApp::new(db).await;
        app.user().await;
        let mut shared = app.anonymous();
        let body = json!({ "email": "ada@example.com", "password": PASSWORD, "remember": false });
        assert_eq!(shared.post("/api/auth/login", Some(body)).await.status, 200);
        let answer = change(&mut shared, PASSWORD, NEW).await;
        assert!(!answer.set_cookie().expect("a cookie").contains("Max-Age"));
    }
}
