//! Several processes on one database: a session that ends on one node is refused on all of them within a second.

use sea_orm_migration::sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use serde_json::json;

use crate::support::{
    Db, PASSWORD,
    client::{claims, token_header},
    on_both_databases,
    process::{Deployment, NodeProcess, free_address},
};

/// Registers an account on a node and returns its access token.
async fn register(node: &NodeProcess, email: &str) -> String {
    let body = json!({ "email": email, "password": PASSWORD });
    let answer = node.post("/api/auth/register", None, &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()["access_token"]
        .as_str()
        .expect("a token")
        .to_owned()
}

async fn revoke(node: &NodeProcess, token: &str) {
    let sid = claims(token)["sid"].as_str().expect("sid").to_owned();
    let answer = node
        .send("DELETE", &format!("/api/sessions/{sid}"), Some(token), "")
        .await;
    assert_eq!(answer.status, 204, "{}", answer.text);
}

on_both_databases! {
    async fn a_session_revoked_on_one_node_is_rejected_on_another(db: Db) {
        let deployment = Deployment::new(&db);
        let (here, there) = (deployment.node().await, deployment.node().await);
        let token = register(&here, "ada@example.com").await;
        assert_eq!(there.get("/api/me", &token).await.status, 200);
        revoke(&here, &token).await;
        assert_eq!(here.get("/api/auth/session", &token).await.status, 401, "immediately on the node itself");
        there.assert_refuses_within_a_second(&token).await;
    }

    async fn a_revoked_session_is_rejected_after_a_node_restart(db: Db) {
        let deployment = Deployment::new(&db);
        let before = deployment.node().await;
        let token = register(&before, "ada@example.com").await;
        revoke(&before, &token).await;
        drop(before);
        let after = deployment.node().await;
        assert_eq!(after.get("/api/auth/session", &token).await.status, 401, "from its first response on");
    }

    async fn sessions_revoked_by_the_command_line_are_rejected(db: Db) {
        let deployment = Deployment::new(&db);
        let node = deployment.node().await;
        let tokens = [register(&node, "ada@example.com").await, register(&node, "bob@example.com").await, register(&node, "eve@example.com").await];
        let sid = claims(&tokens[0])["sid"].as_str().expect("sid").to_owned();
        let told = deployment.stdout_of(&["sessions", "revoke", &sid], "").await;
        assert!(told.contains("has ended"), "{told}");
        node.assert_refuses_within_a_second(&tokens[0]).await;
        assert_eq!(node.get("/api/auth/session", &tokens[1]).await.status, 200, "only that one");

        deployment.stdout_of(&["users", "disable", "bob@example.com"], "").await;
        node.assert_refuses_within_a_second(&tokens[1]).await;
        deployment.stdout_of(&["users", "delete", "eve@example.com"], "").await;
        node.assert_refuses_within_a_second(&tokens[2]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revocations_arrive_after_the_listen_connection_is_killed() {
    let db = Db::postgres().await;
    let deployment = Deployment::new(&db);
    let (here, there) = (deployment.node().await, deployment.node().await);
    let token = register(&here, "ada@example.com").await;

    let operator = Database::connect(&db.url).await.expect("connects");
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    let killed = operator
        .query_all_raw(Statement::from_string(DbBackend::Postgres, kill))
        .await
        .expect("kills");
    assert_eq!(killed.len(), 2, "each node listens on a separate connection");
    revoke(&here, &token).await;
    there.assert_refuses_within_a_second(&token).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_have_a_separate_listener() {
    let db = Db::sqlite();
    let admin = free_address();
    let node = Deployment::new(&db)
        .with("KEYTURN__ADMIN__LISTEN", admin.to_string())
        .with("KEYTURN__ADMIN__HOSTS", r#"["keyturn.example"]"#)
        .node()
        .await;
    let token = register(&node, "ada@example.com").await;
    assert_eq!(node.get("/api/me", &token).await.status, 200);
    assert_eq!(node.post("/api/auth/refresh", None, &json!({})).await.status, 401);
    assert_eq!(
        node.get("/metrics", &token).await.status,
        404,
        "not for the world"
    );
    let metrics = node.at(admin).get("/metrics", "").await;
    assert_eq!(metrics.status, 200);
    assert!(
        metrics.text.contains("keyturn_ended_sessions_age_seconds"),
        "{}",
        metrics.text
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lab_refreshes_are_not_counted_in_metrics() {
    let db = Db::sqlite();
    let admin = free_address();
    let node = Deployment::new(&db)
        .with("KEYTURN__ADMIN__LISTEN", admin.to_string())
        .with("KEYTURN__ADMIN__HOSTS", r#"["keyturn.example"]"#)
        .with("KEYTURN__LAB__ENABLED", "true")
        .with("KEYTURN__LAB__LISTEN", "127.0.0.1:0")
        .with("KEYTURN__LAB__ATTACKER_LISTEN", "127.0.0.1:0")
        .with("KEYTURN__LAB__ORIGIN", "https://lab.example.org")
        .with("KEYTURN__LAB__ATTACKER_ORIGIN", "https://attacker.example.net")
        .with("KEYTURN__LAB__SIBLING_ORIGIN", "https://sibling.lab.example.org")
        .node()
        .await;
    let play = node.post("/api/lab/plays", None, &json!({})).await;
    assert_eq!(play.status, 201, "{}", play.text);
    let acts = format!(
        "/api/lab/plays/{}/acts",
        play.json()["id"].as_str().expect("an id")
    );
    let renewed = node
        .post(&acts, None, &json!({ "act": "renew", "who": "owner" }))
        .await;
    assert_eq!(renewed.json()["done"][1]["answer"]["status"], 200);
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let registered = node.post("/api/auth/register", None, &body).await;
    assert_eq!(node.refresh(&registered).await.status, 200);

    let metrics = node.at(admin).get("/metrics", "").await.text;
    let refreshes: Vec<_> = metrics
        .lines()
        .filter(|line| line.starts_with("keyturn_refreshes_total"))
        .collect();
    assert_eq!(refreshes, ["keyturn_refreshes_total{verdict=\"rotated\"} 1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_created_by_the_command_line_reaches_all_nodes() {
    let db = Db::postgres().await;
    let deployment = Deployment::new(&db);
    let (here, there) = (deployment.node().await, deployment.node().await);
    let before = register(&here, "ada@example.com").await;
    let said = deployment.stdout_of(&["keys", "rotate", "--now"], "").await;
    // Until one of them signs with it; they poll twice a second.
    let mut count = 0;
    let after = loop {
        count += 1;
        let token = register(&here, &format!("user{count}@example.com")).await;
        if token_header(&token)["kid"] != token_header(&before)["kid"] {
            break token;
        }
        assert!(count < 200, "{said}");
    };
    for token in [&before, &after] {
        assert_eq!(there.get("/api/auth/session", token).await.status, 200);
    }
}
