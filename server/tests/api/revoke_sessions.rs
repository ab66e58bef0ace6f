//! `keyturn sessions revoke` for many sessions at the same time.

use std::time::Duration;

use serde_json::json;
use store::ClientInfo;

use crate::support::{Client, Db, PASSWORD, TestApp, on_both_databases, process::Deployment};

async fn revoked(app: &TestApp, before: Option<rotation::Timestamp>) -> u64 {
    let act = || app.state.audit_context(ClientInfo::default());
    let pass = app
        .state
        .store
        .revoke_sessions_before(before, act)
        .await
        .expect("revokes");
    assert_eq!(pass.skipped, 0);
    pass.revoked
}

async fn assert_ended(client: &mut Client) {
    client
        .get("/api/auth/session")
        .await
        .assert_problem(401, "invalid_token");
    let refused = client.refresh().await;
    refused.assert_problem(401, "session_revoked");
    assert_eq!(refused.json()["reason"], "revoked_by_operator");
}

on_both_databases! {
    async fn sessions_issued_before_a_time_are_revoked(db: Db) {
        let app = TestApp::new(db).await;
        let mut ada = app.user().await;
        let mut phone = app.anonymous();
        assert_eq!(phone.login("ada@example.com", PASSWORD).await.status, 200);
        app.advance(Duration::from_mins(1));
        // It was refreshed since, but signed in before.
        assert_eq!(phone.refresh().await.status, 200);
        let moment = rotation::Clock::now(&*app.clock);
        let mut bob = app.anonymous();
        assert_eq!(bob.register("bob@example.com", PASSWORD).await.status, 201);

        assert_eq!(revoked(&app, Some(moment)).await, 2);
        assert_eq!(revoked(&app, Some(moment)).await, 0);
        assert_ended(&mut ada).await;
        assert_ended(&mut phone).await;
        assert_eq!(bob.refresh().await.status, 200);

        assert_eq!(ada.login("ada@example.com", PASSWORD).await.status, 200);
        let events = ada.get("/api/account/events").await.json();
        let events = events["events"].as_array().expect("a list");
        let told = events.iter().filter(|event| event["kind"] == "session_revoked").count();
        assert_eq!(told, 1, "each account is told once");
        assert_eq!(revoked(&app, None).await, 2);
        assert_ended(&mut ada).await;
        assert_ended(&mut bob).await;
    }

    // More than fit into a batch, including rows that this version cannot read.
    async fn bulk_revocation_covers_thousands_and_unreadable_rows(db: Db) {
        let app = TestApp::new(db).await;
        let mut ada = app.user().await;
        let id = ada.session_id().uuid().as_u128();
        let session = app.state.store.session(ada.session_id()).await.expect("reads");
        let user = session.expect("a session").user_id;
        let is_sqlite = app.state.store.is_sqlite();
        let literal = |number: u128| {
            let hex = format!("{number:032x}");
            if is_sqlite { format!("X'{hex}'") } else { format!("'{hex}'::uuid") }
        };
        let rest = "token_epoch, previous_jti, rotated_at, confirmed, refresh_kid, refresh_issued_at, refresh_expires_at, \
                    absolute_expires_at, remember, created_at, last_used_at";
        for first in (1..=1_200_u128).step_by(100) {
            let rows: Vec<_> = (first..first + 100)
                .map(|number| {
                    let (new, generation) = (literal(id + number), if number % 300 == 0 { -1 } else { 1 });
                    format!(
                        "SELECT {new}, user_id, {generation}, {new}, {rest} FROM sessions WHERE id = {}",
                        literal(id)
                    )
                })
                .collect();
            let columns = format!("id, user_id, generation, current_jti, {rest}");
            app.execute(&format!("INSERT INTO sessions ({columns}) {}", rows.join(" UNION ALL "))).await;
        }
        assert_eq!(revoked(&app, None).await, 1_201);
        assert_ended(&mut ada).await;
        let last = format!("{:032x}", id + 1_200).parse().expect("an id");
        assert!(app.state.store.is_revoked(user, last).await.expect("known"));
    }

    async fn bulk_revocation_from_the_command_line_reaches_nodes(db: Db) {
        let deployment = Deployment::new(&db);
        let node = deployment.node().await;
        let account = |email: &str| json!({ "email": email, "password": PASSWORD });
        let ada = node.post("/api/auth/register", None, &account("ada@example.com")).await;
        let token = ada.json()["access_token"].as_str().expect("a token").to_owned();
        for moment in ["yesterday", "1969-01-01T00:00:00Z"] {
            let complaint = deployment.stderr_of(&["sessions", "revoke", "--issued-before", moment], "").await;
            assert!(complaint.contains("2026-11-30T12:00:00Z"), "{complaint}");
        }
        let said = deployment.stdout_of(&["sessions", "revoke", "--issued-before", "2020-01-01T00:00:00Z"], "").await;
        assert_eq!(said, "Sessions ended: 0.\n");
        assert_eq!(node.get("/api/auth/session", &token).await.status, 200);
        let said = deployment.stdout_of(&["sessions", "revoke", "--all"], "").await;
        assert_eq!(said, "Sessions ended: 1.\n");
        node.assert_refuses_within_a_second(&token).await;
        assert_eq!(node.refresh(&ada).await.status, 401);
    }
}
