//! `keyturn users | sessions | tokens`, as an operator uses them.

use serde_json::json;

use crate::support::{Db, PASSWORD, on_both_databases, process::Deployment};

on_both_databases! {
    async fn account_commands_cover_the_whole_account_lifecycle(db: Db) {
        let deployment = Deployment::new(&db);
        let said = deployment.stdout_of(&["users", "create", "Ada@Example.com", "--role", "admin"], &format!("{PASSWORD}\n")).await;
        assert!(said.contains("is created: admin"), "{said}");
        let list = deployment.stdout_of(&["users", "list"], "").await;
        assert!(list.lines().count() == 2 && list.contains("Ada@Example.com"), "{list}");
        assert_eq!(deployment.stdout_of(&["users", "list", "--search", "bob"], "").await.lines().count(), 1);

        let node = deployment.node().await;
        let login = json!({ "email": "ada@example.com", "password": PASSWORD });
        let signed_in = node.post("/api/auth/login", None, &login).await;
        assert_eq!(signed_in.status, 200, "{}", signed_in.text);
        let token = signed_in.json()["access_token"].as_str().expect("a token").to_owned();
        assert_eq!(node.get("/api/admin/users", &token).await.status, 200);
        let sessions = deployment.stdout_of(&["sessions", "list", "ada@example.com"], "").await;
        assert_eq!(sessions.lines().count(), 2, "{sessions}");

        let said = deployment.stdout_of(&["users", "set-role", "ada@example.com", "user"], "").await;
        assert!(said.contains("is user now"), "{said}");
        node.assert_refuses_within_a_second(&token).await;
        assert!(deployment.stdout_of(&["users", "set-role", "ada@example.com", "user"], "").await.contains("had that role already"));

        deployment.stdout_of(&["users", "set-password", "ada@example.com"], "a lantern under snow\n").await;
        assert_eq!(node.post("/api/auth/login", None, &login).await.status, 401);
        let login = json!({ "email": "ada@example.com", "password": "a lantern under snow" });
        assert_eq!(node.post("/api/auth/login", None, &login).await.status, 200);

        deployment.stdout_of(&["users", "disable", "ada@example.com"], "").await;
        assert_eq!(node.post("/api/auth/login", None, &login).await.status, 401);
        deployment.stdout_of(&["users", "enable", "ada@example.com"], "").await;
        assert_eq!(node.post("/api/auth/login", None, &login).await.status, 200);
        deployment.stdout_of(&["sessions", "revoke", "--user", "ada@example.com"], "").await;
        assert_eq!(deployment.stdout_of(&["sessions", "list", "ada@example.com"], "").await.lines().count(), 1);

        deployment.stdout_of(&["users", "delete", "ada@example.com"], "").await;
        assert_eq!(deployment.stdout_of(&["users", "list"], "").await.lines().count(), 1);
        let said = deployment.stdout_of(&["tokens", "prune"], "").await;
        assert!(said.starts_with("Deleted 0 blacklisted tokens"), "{said}");
    }

    async fn command_line_errors_are_one_actionable_line(db: Db) {
        let deployment = Deployment::new(&db);
        for (arguments, input, told) in [
            (&["users", "disable", "unknown@example.com"][..], "", "there is no account unknown@example.com"),
            (&["users", "create", "not an address"], PASSWORD, "address"),
            (&["users", "create", "ada@example.com"], "short", "at least 15 characters"),
            (&["users", "create", "ada@example.com"], "", "at least 15 characters"),
            (&["sessions", "revoke", "x"], "", "is not the id of a session"),
            (&["sessions", "revoke", "00000000000000000000000000000000"], "", "there is no session"),
        ] {
            let complaint = deployment.stderr_of(arguments, input).await;
            assert_eq!(complaint.lines().count(), 1, "{complaint}");
            assert!(complaint.contains(told), "{complaint}");
        }
        deployment.stdout_of(&["users", "create", "ada@example.com"], PASSWORD).await;
        let complaint = deployment.stderr_of(&["users", "create", "ADA@example.com"], PASSWORD).await;
        assert!(complaint.contains("has an account already"), "{complaint}");
    }

    async fn unlock_and_set_password_reset_the_failure_counter(db: Db) {
        let deployment = Deployment::new(&db);
        deployment.stdout_of(&["users", "create", "ada@example.com"], PASSWORD).await;
        let node = deployment.node().await;
        let body = |password: &str| json!({ "email": "ada@example.com", "password": password });
        let wrong_until_held_back = async || {
            for _ in 0..10 {
                assert_eq!(node.post("/api/auth/login", None, &body("a wrong password")).await.status, 401);
            }
            assert_eq!(node.post("/api/auth/login", None, &body(PASSWORD)).await.status, 429);
        };
        wrong_until_held_back().await;
        let said = deployment.stdout_of(&["users", "unlock", "ada@example.com"], "").await;
        assert!(said.contains("10 failed sign-ins are forgotten"), "{said}");
        assert_eq!(node.post("/api/auth/login", None, &body(PASSWORD)).await.status, 200);
        let said = deployment.stdout_of(&["users", "unlock", "ada@example.com"], "").await;
        assert!(said.contains("had no failed sign-ins"), "{said}");

        wrong_until_held_back().await;
        deployment.stdout_of(&["users", "set-password", "ada@example.com"], "a lantern under snow\n").await;
        assert_eq!(node.post("/api/auth/login", None, &body("a lantern under snow")).await.status, 200);
    }

    async fn a_schema_of_a_newer_version_is_refused(db: Db) {
        use sea_orm_migration::sea_orm::{ConnectionTrait, Database};

        let deployment = Deployment::new(&db);
        deployment.stdout_of(&["migrate"], "").await;
        let database = Database::connect(&db.url).await.expect("connects");
        database
            .execute_unprepared("INSERT INTO seaql_migrations VALUES ('m29990101_000001_from_the_future', 0)")
            .await
            .expect("inserts");
        database.close().await.expect("closes");
        for arguments in [&["serve"][..], &["users", "list"], &["migrate"], &["config", "check"]] {
            let complaint = deployment.stderr_of(arguments, "").await;
            assert!(complaint.contains("newer version"), "{complaint}");
        }
    }
}

#[tokio::test]
async fn an_outdated_postgresql_schema_requires_migrate() {
    use sea_orm_migration::sea_orm::{ConnectionTrait, Database};

    let db = Db::postgres().await;
    let deployment = Deployment::new(&db);
    deployment.stdout_of(&["migrate"], "").await;
    let database = Database::connect(&db.url).await.expect("connects");
    database
        .execute_unprepared(
            "DROP TABLE ended_sessions; \
             DELETE FROM seaql_migrations WHERE version = 'm20261121_000006_ended_sessions'",
        )
        .await
        .expect("an older schema");
    database.close().await.expect("closes");
    for arguments in [&["serve"][..], &["config", "check"]] {
        let complaint = deployment.stderr_of(arguments, "").await;
        assert!(complaint.contains("keyturn migrate"), "{complaint}");
    }
    deployment.stdout_of(&["migrate"], "").await;
    deployment.stdout_of(&["users", "list"], "").await;
}
