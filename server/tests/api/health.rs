//! `/health`

use crate::support::{Db, TestApp, on_both_databases};

on_both_databases! {
    async fn ready_means_that_the_database_answers(db: Db) {
        let app = TestApp::new(db).await;
        assert_eq!(app.anonymous().get("/health/live").await.status, 200);
        assert_eq!(app.anonymous().get("/health/ready").await.status, 200);
        app.state.store.clone().close().await.expect("closes");
        assert_eq!(app.anonymous().get("/health/live").await.status, 200);
        app.anonymous().get("/health/ready").await.assert_problem(503, "unavailable");
    }
}
