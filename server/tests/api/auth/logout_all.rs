//! `POST /api/auth/logout-all`

use crate::support::{Db, PASSWORD, TestApp, on_both_databases};

on_both_databases! {
    async fn every_session_is_revoked(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut copy = client.clone();
        let mut phone = app.anonymous();
        assert_eq!(phone.login("ada@example.com", PASSWORD).await.status, 200);
        let mut bob = app.anonymous();
        assert_eq!(bob.register("bob@example.com", PASSWORD).await.status, 201);

        let answer = client.post("/api/auth/logout-all", None).await;
        assert_eq!(answer.status, 204);
        assert!(answer.clears_the_cookie());
        for other in [&mut copy, &mut phone] {
            other.get("/api/auth/session").await.assert_problem(401, "invalid_token");
            let refused = other.refresh().await;
            refused.assert_problem(401, "session_revoked");
            assert_eq!(refused.json()["reason"], "logout_all");
        }
        assert_eq!(bob.refresh().await.status, 200);
        assert_eq!(phone.login("ada@example.com", PASSWORD).await.status, 200);
        assert_eq!(phone.refresh().await.status, 200);
    }

    async fn sign_out_everywhere_requires_an_access_token(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut cookie_only = client.clone();
        cookie_only.access = None;
        cookie_only.post("/api/auth/logout-all", None).await.assert_problem(401, "invalid_token");
        assert_eq!(client.refresh().await.status, 200);
    }

    async fn an_end_that_was_not_committed_is_not_claimed(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        app.state.store.clone().close().await.expect("closes");
        let answer = client.post("/api/auth/logout-all", None).await;
        answer.assert_problem(503, "unavailable");
        assert!(answer.set_cookie().is_none());
    }
}
