//! The operator's choices for the database: its isolation level, and the privileges of our role.

use sea_orm_migration::sea_orm::{ConnectionTrait, Database};

use crate::support::{Db, TestApp, process::Deployment};

async fn as_owner(db: &Db, statements: &[&str]) {
    let owner = Database::connect(&db.url).await.expect("connects");
    for statement in statements {
        owner.execute_unprepared(statement).await.expect("SQL");
    }
    owner.close().await.expect("closes");
}

fn name_of(db: &Db) -> String {
    let url = url::Url::parse(&db.url).expect("a URL");
    url.path().trim_start_matches('/').to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_refreshes_work_at_any_default_isolation_level() {
    for level in ["repeatable read", "serializable"] {
        let db = Db::postgres().await;
        let set = format!(
            "ALTER DATABASE {} SET default_transaction_isolation = '{level}'",
            name_of(&db)
        );
        as_owner(&db, &[&set]).await;
        let app = TestApp::new(db).await;
        let mut user = app.user().await;
        for _ in 0..2 {
            app.refresh_in_50_tabs(&mut user).await;
        }
        // Also single statements.
        assert_eq!(user.refresh().await.status, 200);
        let body = serde_json::json!({"display_name": "Ada"});
        assert_eq!(user.patch("/api/me", body).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_role_without_ddl_rights_can_serve() {
    let db = Db::postgres().await;
    let owner = Deployment::new(&db);
    owner.stdout_of(&["migrate"], "").await;
    let role = format!("{}_server", name_of(&db));
    as_owner(
        &db,
        &[
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
            &format!("CREATE ROLE {role} LOGIN"),
            &format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"),
        ],
    )
    .await;
    let mut url = url::Url::parse(&db.url).expect("a URL");
    url.set_username(&role).expect("a user");
    let served = Db::at(url.into());
    let node = Deployment::new(&served).node().await;
    let account = serde_json::json!({"email": "ada@example.com", "password": crate::support::PASSWORD});
    let answer = node.post("/api/auth/register", None, &account).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(node.refresh(&answer).await.status, 200);
    drop(node);
    as_owner(
        &db,
        &[&format!("DROP OWNED BY {role}"), &format!("DROP ROLE {role}")],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_without_create_rights_is_named_in_the_error() {
    let db = Db::postgres().await;
    let role = format!("{}_empty", name_of(&db));
    as_owner(
        &db,
        &[
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
            &format!("CREATE ROLE {role} LOGIN"),
        ],
    )
    .await;
    let mut url = url::Url::parse(&db.url).expect("a URL");
    url.set_username(&role).expect("a user");
    let complaint = Deployment::new(&Db::at(url.into()))
        .stderr_of(&["serve"], "")
        .await;
    assert!(complaint.contains("keyturn migrate"), "{complaint}");
    assert_eq!(complaint.trim_end().lines().count(), 1, "{complaint}");
    as_owner(&db, &[&format!("DROP ROLE {role}")]).await;
}
