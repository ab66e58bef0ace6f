//! `DELETE /api/account`

use http::Method;
use serde_json::json;

use crate::support::{Client, Db, PASSWORD, TestApp, TestResponse, on_both_databases};

async fn delete(client: &mut Client, current: &str) -> TestResponse {
    let body = json!({ "current_password": current });
    let request = client.request(Method::DELETE, "/api/account", Some(body));
    client.send(request).await
}

on_both_databases! {
    async fn deleting_an_account_revokes_its_sessions(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut copy = client.clone();
        let mut phone = app.anonymous();
        assert_eq!(phone.login("ada@example.com", PASSWORD).await.status, 200);

        let answer = delete(&mut client, PASSWORD).await;
        assert_eq!(answer.status, 204, "{}", answer.text());
        assert!(answer.clears_the_cookie());

        for other in [&mut copy, &mut phone] {
            other.get("/api/auth/session").await.assert_problem(401, "invalid_token");
            let refused = other.refresh().await;
            refused.assert_problem(401, "session_revoked");
            assert_eq!(refused.json()["reason"], "deleted");
        }
        app.anonymous().login("ada@example.com", PASSWORD).await.assert_problem(401, "invalid_credentials");
        // The address is free again, and a new account with it inherits nothing.
        let mut next = app.user().await;
        let events = next.get("/api/account/events").await.json();
        assert_eq!(events["events"].as_array().expect("a list").len(), 1);
    }

    async fn a_wrong_password_deletes_nothing(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        delete(&mut client, "not my password at all").await.assert_problem(401, "invalid_credentials");
        assert_eq!(client.get("/api/me").await.status, 200);
    }
}
