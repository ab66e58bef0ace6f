//! `GET /api/account/events`

use std::time::Duration;

use serde_json::Value;

use crate::support::{Client, Db, PASSWORD, TestApp, on_both_databases};

async fn kinds(client: &mut Client) -> Vec<String> {
    let page = client.get("/api/account/events").await;
    assert_eq!(page.status, 200, "{}", page.text());
    let page = page.json();
    let events = page["events"].as_array().expect("a list");
    events
        .iter()
        .map(|event| event["kind"].as_str().expect("a kind").to_owned())
        .collect()
}

on_both_databases! {
    async fn events_are_listed_newest_first(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        app.advance(Duration::from_secs(1));
        let mut phone = app.anonymous();
        assert_eq!(phone.login("ada@example.com", PASSWORD).await.status, 200);
        app.advance(Duration::from_secs(1));
        assert_eq!(phone.logout().await.status, 204);
        assert_eq!(kinds(&mut client).await, ["signed_out", "signed_in", "registered"]);
    }

    async fn bulk_revocations_are_in_the_event_list(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        app.advance(Duration::from_millis(1));
        assert_eq!(app.anonymous().login("ada@example.com", PASSWORD).await.status, 200);
        app.advance(Duration::from_millis(1));
        let request = client.request(http::Method::DELETE, "/api/sessions", None);
        assert_eq!(client.send(request).await.status, 204);
        app.advance(Duration::from_millis(1));
        assert_eq!(client.post("/api/auth/logout-all", None).await.status, 204);
        app.advance(Duration::from_millis(1));
        assert_eq!(client.login("ada@example.com", PASSWORD).await.status, 200);
        assert_eq!(
            kinds(&mut client).await,
            ["signed_in", "signed_out_everywhere", "session_revoked", "signed_in", "registered"]
        );
    }

    async fn repeated_reuse_is_one_event(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut thief = client.clone();
        for _ in 0..2 {
            assert_eq!(client.refresh().await.status, 200);
        }
        app.advance(Duration::from_mins(1));
        for _ in 0..3 {
            let mut thief = thief.clone();
            assert_eq!(thief.refresh().await.status, 401);
        }
        assert_eq!(thief.refresh().await.status, 401);
        app.advance(Duration::from_millis(1));
        let mut back = app.anonymous();
        assert_eq!(back.login("ada@example.com", PASSWORD).await.status, 200);
        assert_eq!(kinds(&mut back).await, ["signed_in", "refresh_reused", "registered"]);
    }

    async fn pages_neither_repeat_nor_leave_out(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        for _ in 0..6 {
            app.advance(Duration::from_millis(1));
            assert_eq!(app.anonymous().login("ada@example.com", PASSWORD).await.status, 200);
        }
        let mut seen = Vec::new();
        let mut path = "/api/account/events?limit=3".to_owned();
        loop {
            let page = client.get(&path).await.json();
            let events = page["events"].as_array().expect("a list");
            assert!(!events.is_empty() && events.len() <= 3);
            seen.extend(events.iter().map(|event| event["id"].as_str().expect("an id").to_owned()));
            match &page["next"] {
                Value::String(next) => path = format!("/api/account/events?limit=3&before={next}"),
                _ => break,
            }
        }
        assert_eq!(seen.len(), 7);
        assert!(seen.is_sorted_by(|newer, older| newer > older));
    }

    async fn a_page_that_makes_no_sense_is_refused(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        for query in ["limit=0", "limit=101", "limit=-1", "limit=many", "before=x", "page=2", "limit=1&limit=2"] {
            client
                .get(&format!("/api/account/events?{query}"))
                .await
                .assert_problem(422, "validation_failed");
        }
    }

    async fn a_user_sees_only_their_own_events(db: Db) {
        let app = TestApp::new(db).await;
        app.user().await;
        let mut other = app.anonymous();
        assert_eq!(other.register("bob@example.com", PASSWORD).await.status, 201);
        assert_eq!(kinds(&mut other).await, ["registered"]);
    }
}
