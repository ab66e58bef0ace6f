//! The operator's list of breached passwords.

use serde_json::json;

use crate::support::{Db, PASSWORD, TestApp, on_both_databases, process::Deployment};

const BREACHED: &str = "a lantern under snow";

on_both_databases! {
    async fn a_breached_password_is_refused_at_every_endpoint(db: Db) {
        let folder = tempfile::tempdir().expect("a folder");
        let (list, filter) = (folder.path().join("list.txt"), folder.path().join("breached.filter"));
        std::fs::write(&list, format!("hunter2\n{BREACHED}\n")).expect("writes");
        let paths = [list.to_str().expect("UTF-8"), filter.to_str().expect("UTF-8")];
        let deployment = Deployment::new(&db);
        let said = deployment.stdout_of(&["passwords", "build-filter", paths[0], paths[1]], "").await;
        assert!(said.contains("holds 2 passwords"), "{said}");

        let deployment = deployment.with("KEYTURN__PASSWORDS__BREACHED_FILTER", paths[1]);
        let complaint = deployment.stderr_of(&["users", "create", "bob@example.com"], BREACHED).await;
        assert!(complaint.contains("leaked elsewhere"), "{complaint}");
        deployment.stdout_of(&["users", "create", "bob@example.com"], PASSWORD).await;
        let complaint = deployment.stderr_of(&["users", "set-password", "bob@example.com"], BREACHED).await;
        assert!(complaint.contains("leaked elsewhere"), "{complaint}");

        let app = TestApp::with(db, |sections| sections.passwords.breached_filter = Some(filter.clone())).await;
        let refused = app.anonymous().register("ada@example.com", BREACHED).await;
        refused.assert_problem(422, "validation_failed");
        assert_eq!(refused.json()["errors"][0]["code"], "breached");
        assert_eq!(refused.json()["errors"][0]["field"], "password");

        let mut client = app.user().await;
        let body = json!({ "current_password": PASSWORD, "new_password": BREACHED });
        let refused = client.post("/api/account/password", Some(body)).await;
        refused.assert_problem(422, "validation_failed");
        assert_eq!(refused.json()["errors"][0]["code"], "breached");
        assert_eq!(refused.json()["errors"][0]["field"], "new_password");
        assert_eq!(client.get("/api/me").await.status, 200);
    }

    async fn a_breached_password_does_not_block_sign_in(db: Db) {
        let app = TestApp::new(db).await;
        app.user().await;
        let folder = tempfile::tempdir().expect("a folder");
        let filter = folder.path().join("breached.filter");
        let lines = web::passwords::breached::CorpusFormat::Detected;
        web::passwords::breached::build(PASSWORD.as_bytes(), lines, &filter).expect("builds");
        let app = app.restart_with(|sections| sections.passwords.breached_filter = Some(filter)).await;
        assert_eq!(app.anonymous().login("ada@example.com", PASSWORD).await.status, 200);
    }
}

#[tokio::test]
async fn an_invalid_breach_filter_is_a_configuration_error() {
    let db = Db::sqlite();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("breached.filter");
    let deployment = Deployment::new(&db).with(
        "KEYTURN__PASSWORDS__BREACHED_FILTER",
        file.to_str().expect("UTF-8"),
    );
    for (content, told) in [
        (None, "cannot be read"),
        (
            Some("5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:9545824"),
            "keyturn passwords build-filter",
        ),
    ] {
        if let Some(content) = content {
            std::fs::write(&file, content).expect("writes");
        }
        let complaint = deployment.stderr_of(&["config", "check"], "").await;
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
        assert!(
            complaint.contains("passwords.breached_filter") && complaint.contains(told),
            "{complaint}"
        );
    }
}

#[tokio::test]
async fn building_a_filter_reports_errors_in_the_list() {
    let db = Db::sqlite();
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("breached.filter");
    let output = output.to_str().expect("UTF-8");
    // Only the list is needed: neither a database nor a valid configuration.
    let deployment = Deployment::new(&db).with("KEYTURN__DATABASE__URL", "nonsense");
    let missing = deployment
        .stderr_of(&["passwords", "build-filter", "/nowhere/list.txt", output], "")
        .await;
    assert!(missing.contains("/nowhere/list.txt: No such file"), "{missing}");
    let hashes = "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:9545824\nhunter2\n";
    let mixed = deployment
        .stderr_of(&["passwords", "build-filter", "-", output], hashes)
        .await;
    assert!(mixed.contains("line 2 is not a SHA-1 hash"), "{mixed}");
    assert!(!std::path::Path::new(output).exists());
    let said = deployment
        .stdout_of(&["passwords", "build-filter", "-", output, "--plain"], hashes)
        .await;
    assert!(said.contains("holds 2 passwords"), "{said}");
}
