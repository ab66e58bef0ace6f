//! `/api/me`

use serde_json::json;

use crate::support::{Db, TestApp, on_both_databases};

on_both_databases! {
    async fn the_bearer_sees_their_account(db: Db) {
        let app = TestApp::new(db).await;
        let answer = app.user().await.get("/api/me").await;
        assert_eq!(answer.status, 200);
        insta::assert_json_snapshot!("me", answer.json(), { ".id" => "[id]" });
    }

    async fn the_display_name_can_be_changed_kept_and_removed(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let name = |answer: crate::support::TestResponse| answer.json()["display_name"].clone();
        assert_eq!(name(client.patch("/api/me", json!({ "display_name": "  Ada  " })).await), "Ada");
        assert_eq!(name(client.patch("/api/me", json!({})).await), "Ada");
        assert_eq!(name(client.get("/api/me").await), "Ada");
        assert_eq!(name(client.patch("/api/me", json!({ "display_name": null })).await), json!(null));
        client.patch("/api/me", json!({ "display_name": "x".repeat(65) })).await.assert_problem(422, "validation_failed");
        client.patch("/api/me", json!({ "role": "admin" })).await.assert_problem(422, "validation_failed");
    }

    async fn an_invisible_display_name_is_rejected(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        client.patch("/api/me", json!({ "display_name": "Ada" })).await;
        for name in ["\u{200d}", "\u{3164}", "\u{2800}\u{2800}", "\u{115f}", "\u{ad}", "\u{301}", "\u{202e}\u{202c}"] {
            let answer = client.patch("/api/me", json!({ "display_name": name })).await;
            answer.assert_problem(422, "validation_failed");
            assert_eq!(answer.json()["errors"][0]["field"], "display_name");
        }
        assert_eq!(client.get("/api/me").await.json()["display_name"], "Ada");
    }

    async fn display_names_with_markup_are_returned_unchanged(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        for name in ["<script>alert(1)</script>", "\"><svg/onload=x>", "'; DROP TABLE users; --", "{{7*7}}"] {
            let answer = client.patch("/api/me", json!({ "display_name": name })).await;
            assert_eq!(answer.json()["display_name"], name);
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        }
    }
}
