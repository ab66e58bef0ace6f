//! `/api/account/alarm`

use std::time::Duration;

use http::header::USER_AGENT;
use serde_json::{Value, json};

use crate::support::{Client, Db, PASSWORD, TestApp, on_both_databases};

const FIREFOX: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// The victim signs in, a thief copies the cookie, the victim refreshes, and the thief's refresh comes too late.
async fn rob(app: &TestApp) {
    let mut victim = app.anonymous();
    assert_eq!(victim.login("ada@example.com", PASSWORD).await.status, 200);
    let thief = victim.clone();
    for _ in 0..2 {
        assert_eq!(victim.refresh().await.status, 200);
    }
    app.advance(Duration::from_mins(1));
    let mut request = thief.request(http::Method::POST, "/api/auth/refresh", None);
    request
        .headers_mut()
        .insert(USER_AGENT, FIREFOX.parse().expect("a header"));
    thief
        .clone()
        .send(request)
        .await
        .assert_problem(401, "refresh_reused");
    app.advance(Duration::from_millis(1));
}

async fn signed_in(app: &TestApp) -> Client {
    let mut client = app.anonymous();
    assert_eq!(client.login("ada@example.com", PASSWORD).await.status, 200);
    app.advance(Duration::from_millis(1));
    client
}

async fn alarm(client: &mut Client) -> Option<Value> {
    let answer = client.get("/api/account/alarm").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json().get("alarm").cloned()
}

async fn mark_seen(client: &mut Client, alarm: &Value) -> u16 {
    let body = json!({ "id": alarm["id"] });
    client.post("/api/account/alarm", Some(body)).await.status
}

async fn times_marked(client: &mut Client) -> usize {
    let events = client.get("/api/account/events").await.json();
    let events = events["events"].as_array().expect("a list").clone();
    events
        .iter()
        .filter(|event| event["kind"] == "alarm_seen")
        .count()
}

on_both_databases! {
    async fn without_reuse_there_is_no_alarm(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        assert_eq!(client.logout().await.status, 204);
        assert_eq!(client.login("ada@example.com", PASSWORD).await.status, 200);
        assert_eq!(client.refresh().await.status, 200);
        assert_eq!(alarm(&mut client).await, None);
    }

    async fn a_reuse_alarm_is_shown_on_all_devices_until_seen(db: Db) {
        let app = TestApp::new(db).await;
        let mut elsewhere = app.user().await;
        rob(&app).await;
        let mut back = signed_in(&app).await;
        let told = alarm(&mut back).await.expect("an alarm");
        assert_eq!(told["kind"], "refresh_reused");
        assert_eq!(told["device"], "Firefox on Windows 10");
        assert_eq!(alarm(&mut elsewhere).await.as_ref(), Some(&told));
        // Signing in again does not mark it as seen.
        let mut back = signed_in(&app).await;
        assert_eq!(alarm(&mut back).await.as_ref(), Some(&told));

        assert_eq!(mark_seen(&mut back, &told).await, 204);
        assert_eq!(alarm(&mut back).await, None);
        assert_eq!(alarm(&mut elsewhere).await, None);
        assert_eq!(mark_seen(&mut elsewhere, &told).await, 204);
        assert_eq!(times_marked(&mut back).await, 1);
    }

    async fn a_newer_alarm_is_shown_after_an_older_one_was_seen(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        rob(&app).await;
        let first = alarm(&mut client).await.expect("an alarm");
        rob(&app).await;
        let second = alarm(&mut client).await.expect("an alarm");
        assert_ne!(first["id"], second["id"]);
        // A page that does not know the second alarm marks only the one that it shows.
        assert_eq!(mark_seen(&mut client, &first).await, 204);
        assert_eq!(alarm(&mut client).await.as_ref(), Some(&second));
        assert_eq!(mark_seen(&mut client, &second).await, 204);
        assert_eq!(alarm(&mut client).await, None);
    }

    async fn older_alarms_are_not_shown_after_the_newest_was_seen(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        rob(&app).await;
        rob(&app).await;
        let newest = alarm(&mut client).await.expect("an alarm");
        assert_eq!(mark_seen(&mut client, &newest).await, 204);
        assert_eq!(alarm(&mut client).await, None);
    }

    async fn a_user_can_mark_only_their_own_alarms(db: Db) {
        let app = TestApp::new(db).await;
        let mut ada = app.user().await;
        rob(&app).await;
        let told = alarm(&mut ada).await.expect("an alarm");
        let mut bob = app.anonymous();
        assert_eq!(bob.register("bob@example.com", PASSWORD).await.status, 201);
        assert_eq!(alarm(&mut bob).await, None);
        assert_eq!(mark_seen(&mut bob, &told).await, 404);

        let events = ada.get("/api/account/events").await.json();
        let sign_in = events["events"].as_array().expect("a list").iter()
            .find(|event| event["kind"] == "signed_in").expect("a sign-in").clone();
        assert_eq!(mark_seen(&mut ada, &sign_in).await, 404);
        assert_eq!(mark_seen(&mut ada, &json!({ "id": "what" })).await, 404);
        assert_eq!(alarm(&mut ada).await, Some(told));
        assert_eq!(times_marked(&mut ada).await, 0);
    }
}
