//! The memory that password hashing adds to the process.

use std::sync::Arc;

use serde_json::json;
use tokio::{sync::Semaphore, task::JoinSet};

use crate::support::{Db, process::Deployment};

const PERMITS: u64 = 4;
const AREA_KIB: u64 = 19_456;
/// The memory that 64 concurrent connections cost in addition to the hashing.
const SLACK_KIB: u64 = 16 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn password_hashing_memory_is_bounded() {
    let db = Db::sqlite();
    let deployment = Deployment::new(&db)
        .with("KEYTURN__PASSWORDS__MEMORY_KIB", AREA_KIB.to_string())
        .with("KEYTURN__PASSWORDS__ITERATIONS", "2")
        .with("KEYTURN__PASSWORDS__CONCURRENCY", PERMITS.to_string())
        // All of them are served, however busy the machine is.
        .with("KEYTURN__PASSWORDS__QUEUE_TIMEOUT", "10m")
        .with("KEYTURN__HTTP__REQUEST_TIMEOUT", "10m");
    let node = Arc::new(deployment.node().await);
    // Idle memory, after the same number of concurrent requests without hashing.
    let mut warm_up = JoinSet::new();
    for _ in 0..64 {
        let node = Arc::clone(&node);
        warm_up.spawn(async move { node.get("/api/auth/session", "no token").await.status });
    }
    assert!(warm_up.join_all().await.into_iter().all(|status| status == 401));
    let idle = node.resident_kib();

    let parallel = Arc::new(Semaphore::new(64));
    let mut attempts = JoinSet::new();
    for number in 0..300 {
        let (node, parallel) = (Arc::clone(&node), Arc::clone(&parallel));
        attempts.spawn(async move {
            let _permit = parallel.acquire().await.expect("open");
            let body =
                json!({ "email": format!("user{number}@example.com"), "password": "not the right password" });
            node.post("/api/auth/login", None, &body).await.status
        });
    }
    while let Some(status) = attempts.join_next().await {
        assert_eq!(status.expect("no panic"), 401);
    }

    let after = node.resident_kib();
    let bound = idle + PERMITS * AREA_KIB + SLACK_KIB;
    println!("resident memory: {idle} KiB idle, {after} KiB after 300 hashes, at most {bound} KiB allowed");
    assert!(
        after <= bound,
        "{idle} KiB idle, {after} KiB after, {bound} KiB allowed"
    );
}
