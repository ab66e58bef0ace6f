//! `/health`

use crate::support::{Db, TestApp, on_both_databases};

on_both_databases! {
    async fn readiness_requires_a_reachable_database(db: Db) {
        let app = TestApp::new(db).await;
        assert_eq!(app.anonymous().get("/health/live").await.status, 200);
        assert_eq!(app.anonymous().get("/health/ready").await.status, 200);
        // Another node, because a result is cached for a second.
        let other = app.node_with(|_| {}).await;
        other.state.store.clone().close().await.expect("closes");
        assert_eq!(other.anonymous().get("/health/live").await.status, 200);
        other.anonymous().get("/health/ready").await.assert_problem(503, "unavailable");
    }

    async fn readiness_fails_if_the_write_probe_is_lost(db: Db) {
        let app = TestApp::new(db).await;
        app.execute("DELETE FROM write_probe").await;
        app.anonymous().get("/health/ready").await.assert_problem(503, "unavailable");
    }

    async fn readiness_results_are_cached_for_a_second(db: Db) {
        let app = TestApp::new(db).await;
        for _ in 0..50 {
            assert_eq!(app.anonymous().get("/health/ready").await.status, 200);
        }
        let beats = app.number("SELECT beat FROM write_probe").await;
        assert!((1..=10).contains(&beats), "{beats}");
    }
}
