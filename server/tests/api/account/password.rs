//! `POST /api/account/password`

use serde_json::json;

use crate::support::{Client, Db, PASSWORD, TestApp, client::claims, on_both_databases};

const NEW: &str = "a lantern under snow";

async fn change(client: &mut Client, current: &str, new: &str) -> crate::support::Answer {
    let body = json!({ "current_password": current, "new_password": new });
    client.post("/api/account/password", Some(body)).await
}

on_both_databases! {
    async fn every_older_session_ends_and_the_caller_gets_a_fresh_one(db: Db) {
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

    async fn the_new_password_is_judged_as_at_registration(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        for (new, code) in [("short", "too_short"), ("passwordpassword", "too_common"), (PASSWORD, "unchanged")] {
            let answer = change(&mut client, PASSWORD, new).await;
            answer.assert_problem(422, "validation_failed");
            assert_eq!(answer.json()["errors"][0]["field"], "new_password");
            assert_eq!(answer.json()["errors"][0]["code"], code);
        }
    }

    async fn two_changes_at_once_leave_one_password(db: Db) {
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

    async fn whether_the_browser_remembers_stays_as_it_was(db: Db) {
        let app = TestApp::new(db).await;
        app.user().await;
        let mut shared = app.anonymous();
        let body = json!({ "email": "ada@example.com", "password": PASSWORD, "remember": false });
        assert_eq!(shared.post("/api/auth/login", Some(body)).await.status, 200);
        let answer = change(&mut shared, PASSWORD, NEW).await;
        assert!(!answer.set_cookie().expect("a cookie").contains("Max-Age"));
    }
}
