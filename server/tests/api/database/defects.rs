//! An unavailable database is 503, and an invalid statement is 500: a retry helps only with the first.

use crate::support::{Db, TestApp, on_both_databases};

on_both_databases! {
    async fn a_schema_error_returns_500_and_keeps_the_session(db: Db) {
        let app = TestApp::new(db).await;
        let mut user = app.user().await;
        app.execute("ALTER TABLE sessions RENAME COLUMN rotated_at TO rotated").await;
        let before = user.refresh.clone();
        let answer = user.refresh().await;
        answer.assert_problem(500, "internal_error");
        assert!(!answer.clears_the_cookie() && user.refresh == before);
        assert_eq!(answer.header("retry-after"), None);
        app.execute("ALTER TABLE sessions RENAME COLUMN rotated TO rotated_at").await;
        assert_eq!(user.refresh().await.status, 200);
    }

    async fn an_unreachable_database_returns_503(db: Db) {
        let app = TestApp::new(db).await;
        let mut user = app.user().await;
        app.state.store.clone().close().await.expect("closes");
        let before = user.refresh.clone();
        let answer = user.refresh().await;
        answer.assert_problem(503, "unavailable");
        assert!(!answer.clears_the_cookie() && user.refresh == before);
        assert!(answer.header("retry-after").is_some());
    }
}
