//! `/api/sessions`

use std::time::Duration;

use http::Method;
use serde_json::Value;

use crate::support::{Client, Db, PASSWORD, TestApp, TestResponse, on_both_databases};

async fn list(client: &mut Client) -> Vec<Value> {
    let answer = client.get("/api/sessions").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["sessions"].as_array().expect("a list").clone()
}

async fn delete(client: &mut Client, path: &str) -> TestResponse {
    let request = client.request(Method::DELETE, path, None);
    client.send(request).await
}

async fn signed_in(app: &TestApp) -> Client {
    app.advance(Duration::from_secs(1));
    let mut client = app.anonymous();
    assert_eq!(client.login("ada@example.com", PASSWORD).await.status, 200);
    client
}

fn id_of(entries: &[Value], current: bool) -> String {
    let entry = entries
        .iter()
        .find(|entry| entry["current"] == current)
        .expect("an entry");
    entry["id"].as_str().expect("an id").to_owned()
}

on_both_databases! {
    async fn only_active_sessions_are_listed(db: Db) {
        let app = TestApp::new(db).await;
        let mut laptop = app.user().await;
        let mut phone = signed_in(&app).await;
        let mut left = signed_in(&app).await;
        assert_eq!(left.logout().await.status, 204);

        let seen = list(&mut laptop).await;
        assert_eq!(seen.len(), 2);
        assert_eq!(seen.iter().filter(|entry| entry["current"] == true).count(), 1);
        assert_eq!(seen[0]["current"], false, "the last used comes first");
        assert_eq!(list(&mut phone).await[0]["current"], true);

        app.advance(Duration::from_hours(7 * 24));
        let mut later = signed_in(&app).await;
        assert_eq!(list(&mut later).await.len(), 1, "expired sessions are not shown");
    }

    async fn revoking_one_session_keeps_the_others(db: Db) {
        let app = TestApp::new(db).await;
        let mut laptop = app.user().await;
        let mut phone = signed_in(&app).await;
        let id = id_of(&list(&mut laptop).await, false);
        let answer = delete(&mut laptop, &format!("/api/sessions/{id}")).await;
        assert_eq!(answer.status, 204);
        assert!(answer.set_cookie().is_none(), "not the caller's own");

        phone.get("/api/auth/session").await.assert_problem(401, "invalid_token");
        let refused = phone.refresh().await;
        refused.assert_problem(401, "session_revoked");
        assert_eq!(refused.json()["reason"], "revoked_by_user");
        assert_eq!(laptop.refresh().await.status, 200);
        delete(&mut laptop, &format!("/api/sessions/{id}")).await.assert_problem(404, "not_found");
    }

    async fn revoking_the_current_session_clears_the_cookie(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let id = id_of(&list(&mut client).await, true);
        let answer = delete(&mut client, &format!("/api/sessions/{id}")).await;
        assert_eq!(answer.status, 204);
        assert!(answer.clears_the_cookie());
        client.get("/api/me").await.assert_problem(401, "invalid_token");
    }

    async fn all_other_sessions_are_revoked(db: Db) {
        let app = TestApp::new(db).await;
        let mut laptop = app.user().await;
        let mut phone = signed_in(&app).await;
        let mut tablet = signed_in(&app).await;
        assert_eq!(delete(&mut laptop, "/api/sessions").await.status, 204);
        for other in [&mut phone, &mut tablet] {
            other.get("/api/me").await.assert_problem(401, "invalid_token");
            other.refresh().await.assert_problem(401, "session_revoked");
        }
        assert_eq!(laptop.get("/api/me").await.status, 200);
        assert_eq!(laptop.refresh().await.status, 200);
        assert_eq!(list(&mut laptop).await.len(), 1);
        assert_eq!(delete(&mut laptop, "/api/sessions").await.status, 204, "idempotent");
    }

    async fn a_user_cannot_revoke_another_users_session(db: Db) {
        let app = TestApp::new(db).await;
        let mut ada = app.user().await;
        let mut bob = app.anonymous();
        assert_eq!(bob.register("bob@example.com", PASSWORD).await.status, 201);
        let id = id_of(&list(&mut ada).await, true);
        for path in [format!("/api/sessions/{id}"), "/api/sessions/x".into(), "/api/sessions/00000000000000000000000000000000".into()] {
            delete(&mut bob, &path).await.assert_problem(404, "not_found");
        }
        assert_eq!(list(&mut bob).await.len(), 1, "nor sees it");
        assert_eq!(delete(&mut bob, "/api/sessions").await.status, 204);
        assert_eq!(ada.get("/api/me").await.status, 200);
        assert_eq!(ada.refresh().await.status, 200);
    }

    async fn a_refresh_updates_the_last_use_of_a_session(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        app.advance(Duration::from_hours(2));
        assert_eq!(client.refresh().await.status, 200);
        app.advance(Duration::from_secs(5));
        let seen = list(&mut client).await;
        assert_eq!(seen[0]["idle_seconds"], 5);
    }

    async fn a_sign_in_replaces_only_the_session_of_its_browser(db: Db) {
        let app = TestApp::new(db).await;
        let mut laptop = app.user().await;
        let mut phone = signed_in(&app).await;
        let mut before = phone.clone();
        assert_eq!(phone.login("ada@example.com", PASSWORD).await.status, 200);
        before.get("/api/me").await.assert_problem(401, "invalid_token");
        assert_eq!(laptop.get("/api/me").await.status, 200);
        assert_eq!(laptop.refresh().await.status, 200);
    }

    async fn pages_neither_repeat_nor_leave_out(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        // Several at the same moment.
        for _ in 0..4 {
            assert_eq!(app.anonymous().login("ada@example.com", PASSWORD).await.status, 200);
        }
        signed_in(&app).await;
        let mut seen = Vec::new();
        let mut path = "/api/sessions?limit=2".to_owned();
        loop {
            let page = client.get(&path).await.json();
            let sessions = page["sessions"].as_array().expect("a list");
            assert!(!sessions.is_empty() && sessions.len() <= 2);
            seen.extend(sessions.iter().map(|session| session["id"].as_str().expect("an id").to_owned()));
            match &page["next"] {
                Value::String(next) => path = format!("/api/sessions?limit=2&after={next}"),
                _ => break,
            }
        }
        assert_eq!(seen.len(), 6);
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 6);
    }

    async fn a_page_that_makes_no_sense_is_refused(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        for query in ["limit=0", "limit=101", "after=x", "after=1-", "after=-", "after=99999999999999999999-0", "page=2"] {
            client.get(&format!("/api/sessions?{query}")).await.assert_problem(422, "validation_failed");
        }
    }
}
