//! `POST /api/auth/logout`

use std::time::Duration;

use crate::support::{Db, TestApp, on_both_databases};

on_both_databases! {
    async fn the_session_is_revoked_and_the_cookie_cleared(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut copy = client.clone();
        let answer = client.logout().await;
        assert_eq!(answer.status, 204);
        assert!(answer.body.is_empty());
        assert!(answer.clears_the_cookie());
        assert_eq!(client.refresh, None);

        let after = copy.refresh().await;
        after.assert_problem(401, "session_revoked");
        assert_eq!(after.json()["reason"], "logout");
    }

    async fn it_is_idempotent(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut copy = client.clone();
        for _ in 0..3 {
            assert_eq!(copy.logout().await.status, 204);
        }
        assert_eq!(client.logout().await.status, 204);
        assert_eq!(app.anonymous().logout().await.status, 204);
    }

    async fn sign_out_with_a_consumed_token_revokes_the_session(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut consumed = client.clone();
        consumed.access = None;
        for _ in 0..3 {
            assert_eq!(client.refresh().await.status, 200);
        }
        app.advance(Duration::from_mins(1));
        assert_eq!(consumed.logout().await.status, 204);
        let after = client.refresh().await;
        after.assert_problem(401, "session_revoked");
        assert_eq!(after.json()["reason"], "logout", "no alarm");
    }

    async fn sign_out_with_only_an_expired_access_token_works(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut bearer = client.clone();
        bearer.refresh = None;
        app.advance(Duration::from_hours(1));
        assert_eq!(bearer.logout().await.status, 204);
        client.refresh().await.assert_problem(401, "session_revoked");
    }

    async fn sign_out_with_invalid_tokens_revokes_nothing(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut stranger = app.anonymous();
        stranger.refresh = Some("a.b.c".into());
        stranger.access = Some("a.b.c".into());
        let answer = stranger.logout().await;
        assert_eq!(answer.status, 204);
        assert!(answer.clears_the_cookie());
        assert_eq!(client.refresh().await.status, 200);
    }

    async fn an_end_that_was_not_committed_is_not_claimed(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        app.state.store.clone().close().await.expect("closes");
        let answer = client.logout().await;
        answer.assert_problem(503, "unavailable");
        assert!(answer.set_cookie().is_none());
    }
}
