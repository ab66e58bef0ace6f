//! Rows that this version cannot read (from a newer node, damaged or edited) disable no kill switch, and hide no
//! readable rows.

use http::Method;
use rotation::{Role, UserId};
use serde_json::json;
use store::ClientInfo;

use crate::support::{Client, Db, PASSWORD, TestApp, client::claims, on_both_databases, process::Deployment};

/// What is wrong with the account on which a kill switch is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    /// Other sessions and events cannot be read; the caller's own session and the account are valid.
    Others,
    /// The caller's own session has a generation that no version writes.
    OwnSession,
    UnknownRole,
    NegativeEpoch,
    /// The next epoch does not fit the column.
    LastEpoch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Switch {
    SignOut,
    SignOutEverywhere,
    EndOne,
    EndOthers,
    ChangePassword,
    DeleteOwn,
    Disable,
    EndByAdministrator,
    SetRole,
    SetPassword,
    DeleteByOperator,
    EndByOperator,
}

const SWITCHES: [Switch; 12] = [
    Switch::SignOut,
    Switch::SignOutEverywhere,
    Switch::EndOne,
    Switch::EndOthers,
    Switch::ChangePassword,
    Switch::DeleteOwn,
    Switch::Disable,
    Switch::EndByAdministrator,
    Switch::SetRole,
    Switch::SetPassword,
    Switch::DeleteByOperator,
    Switch::EndByOperator,
];

/// Damage to other sessions of the account: a column and its value, one for each.
const BAD_SESSIONS: [(&str, &str); 7] = [
    ("generation", "-1"),
    ("generation", "-2147483648"),
    ("token_epoch", "-7"),
    ("token_epoch", "2147483647"),
    ("revoke_reason", "'a_reason_of_a_newer_version'"),
    ("revoked_at", "1"),
    ("refresh_kid", "''"),
];

/// An account with two browsers and unreadable rows.
struct Victim {
    id: UserId,
    email: String,
    laptop: Client,
    phone: Client,
}

impl Victim {
    async fn new(app: &TestApp, number: usize, damage: Damage) -> Self {
        let email = format!("victim{number}@example.com");
        let mut laptop = app.anonymous();
        let answer = laptop.register(&email, PASSWORD).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let mut phone = app.anonymous();
        assert_eq!(phone.login(&email, PASSWORD).await.status, 200);
        let access = claims(laptop.access.as_deref().expect("a token"));
        let id: UserId = access["sub"].as_str().expect("sub").parse().expect("an id");
        let victim = Self {
            id,
            email,
            laptop,
            phone,
        };
        victim.damage(app, number, damage).await;
        victim
    }

    async fn damage(&self, app: &TestApp, number: usize, damage: Damage) {
        let (user, own) = (
            literal(app, self.id.uuid().as_u128()),
            literal(app, self.laptop.session_id().uuid().as_u128()),
        );
        let epoch = match damage {
            Damage::NegativeEpoch => Some("-3"),
            Damage::LastEpoch => Some("2147483647"),
            _ => None,
        };
        if let Some(epoch) = epoch {
            app.execute(&format!(
                "UPDATE users SET token_epoch = {epoch} WHERE id = {user}"
            ))
            .await;
            app.execute(&format!(
                "UPDATE sessions SET token_epoch = {epoch} WHERE user_id = {user}"
            ))
            .await;
        }
        if damage == Damage::UnknownRole {
            app.execute(&format!("UPDATE users SET role = 'auditor' WHERE id = {user}"))
                .await;
        }
        for (index, bad) in BAD_SESSIONS.iter().enumerate() {
            let id = literal(
                app,
                0x0193_0000_0000_7000_8000_0000_0000_0000 + (number * 100 + index) as u128,
            );
            let columns = "id, user_id, token_epoch, generation, current_jti, previous_jti, rotated_at, confirmed, refresh_kid, \
                           refresh_issued_at, refresh_expires_at, absolute_expires_at, remember, created_at, last_used_at, \
                           revoked_at, revoke_reason, user_agent, ip";
            let values: Vec<_> = columns
                .split(", ")
                .map(|column| match column {
                    "id" | "current_jti" => id.clone(),
                    column if column == bad.0 => bad.1.to_owned(),
                    column => column.to_owned(),
                })
                .collect();
            let values = values.join(", ");
            app.execute(&format!(
                "INSERT INTO sessions ({columns}) SELECT {values} FROM sessions WHERE id = {own}"
            ))
            .await;
        }
        if app.state.store.is_sqlite() {
            // Not a UUID, which only SQLite accepts.
            let jti = literal(app, 0x0193_0000_0000_7000_8000_0000_eeee_0000 + number as u128);
            let values = "user_id, token_epoch, generation, rotated_at, confirmed, refresh_kid, refresh_issued_at, \
                          refresh_expires_at, absolute_expires_at, remember, created_at, last_used_at";
            app.execute(&format!(
                "INSERT INTO sessions (id, current_jti, {values}) SELECT x'0193{number:04x}', {jti}, {values} \
                 FROM sessions WHERE id = {own}"
            ))
            .await;
        }
        let event = literal(app, 0x0193_0000_0000_7000_8000_0000_ffff_0000 + number as u128);
        app.execute(&format!(
            "INSERT INTO security_events (id, user_id, kind, at) VALUES ({event}, {user}, 'a_kind_of_a_newer_version', 1)"
        ))
        .await;
        if damage == Damage::OwnSession {
            app.execute(&format!("UPDATE sessions SET generation = -1 WHERE id = {own}"))
                .await;
        }
    }

    /// Uses the switch, and returns the browsers that must be signed out afterwards.
    async fn use_switch(&mut self, app: &TestApp, root: &mut Client, switch: Switch) -> Vec<&mut Client> {
        let store = &app.state.store;
        let act = app.state.audit_context(ClientInfo::default());
        let id = self.id;
        let (method, path, body) = match switch {
            Switch::SignOut => (Method::POST, "/api/auth/logout".to_owned(), None),
            Switch::SignOutEverywhere => (Method::POST, "/api/auth/logout-all".to_owned(), None),
            Switch::EndOne => (
                Method::DELETE,
                format!("/api/sessions/{}", self.laptop.session_id()),
                None,
            ),
            Switch::EndOthers => (Method::DELETE, "/api/sessions".to_owned(), None),
            Switch::ChangePassword => {
                let body = json!({ "current_password": PASSWORD, "new_password": "a lantern under snow" });
                (Method::POST, "/api/account/password".to_owned(), Some(body))
            }
            Switch::DeleteOwn => (
                Method::DELETE,
                "/api/account".to_owned(),
                Some(json!({ "current_password": PASSWORD })),
            ),
            Switch::Disable => (Method::POST, format!("/api/admin/users/{id}/disable"), None),
            Switch::EndByAdministrator => (Method::DELETE, format!("/api/admin/users/{id}/sessions"), None),
            Switch::SetRole => {
                assert!(
                    store
                        .set_role(id, Role::Admin, &act)
                        .await
                        .expect("sets the role")
                );
                return vec![&mut self.laptop, &mut self.phone];
            }
            Switch::SetPassword => {
                let hash = store::users::PasswordHash::new("no password fits this".to_owned());
                assert!(
                    store
                        .set_password(id, &hash, &act)
                        .await
                        .expect("sets the password")
                );
                return vec![&mut self.laptop, &mut self.phone];
            }
            Switch::DeleteByOperator => {
                assert!(store.delete_user(id, &act).await.expect("deletes"));
                return vec![&mut self.laptop, &mut self.phone];
            }
            Switch::EndByOperator => {
                assert!(store.revoke_all_sessions(id, &act).await.expect("ends"));
                return vec![&mut self.laptop, &mut self.phone];
            }
        };
        let by_root = matches!(switch, Switch::Disable | Switch::EndByAdministrator);
        // The browser that uses the switch keeps its tokens, as a thief's copy would.
        let before = self.laptop.clone();
        let client = if by_root { root } else { &mut self.laptop };
        let request = client.request(method, &path, body);
        let answer = client.send(request).await;
        let expected = if switch == Switch::ChangePassword {
            200
        } else {
            204
        };
        assert_eq!(
            answer.status,
            expected,
            "{switch:?} {}: {}",
            self.email,
            answer.text()
        );
        match switch {
            Switch::SignOut | Switch::EndOne => {
                self.laptop = before;
                vec![&mut self.laptop]
            }
            Switch::EndOthers => vec![&mut self.phone],
            _ => {
                self.laptop = before;
                vec![&mut self.laptop, &mut self.phone]
            }
        }
    }
}

/// A UUID in the literal syntax of either database.
fn literal(app: &TestApp, id: u128) -> String {
    if app.state.store.is_sqlite() {
        format!("x'{id:032x}'")
    } else {
        format!("'{id:032x}'")
    }
}

/// An administrator.
async fn root(app: &TestApp) -> Client {
    let mut root = app.anonymous();
    assert_eq!(root.register("root@example.com", PASSWORD).await.status, 201);
    app.execute("UPDATE users SET role = 'admin' WHERE email = 'root@example.com'")
        .await;
    assert_eq!(root.login("root@example.com", PASSWORD).await.status, 200);
    root
}

/// Each on a separate account, for each kind of damage.
async fn use_all_switches(app: &TestApp, damages: &[Damage]) {
    let mut root = root(app).await;
    let mut number = 0;
    for &damage in damages {
        for switch in SWITCHES {
            number += 1;
            // As a running node does twice a second.
            app.state.read_revocations().await.expect("reads");
            let mut victim = Victim::new(app, number, damage).await;
            for out in victim.use_switch(app, &mut root, switch).await {
                let what = format!("{damage:?} {switch:?}");
                assert_eq!(out.get("/api/me").await.status, 401, "{what}");
                let refused = out.refresh().await;
                assert_eq!(refused.status, 401, "{what}: {}", refused.text());
            }
        }
    }
}

on_both_databases! {
    async fn revocation_works_with_unreadable_session_rows(db: Db) {
        use_all_switches(&TestApp::new(db).await, &[Damage::Others, Damage::OwnSession]).await;
    }

    async fn revocation_works_with_an_unknown_role(db: Db) {
        use_all_switches(&TestApp::new(db).await, &[Damage::UnknownRole]).await;
    }

    async fn revocation_works_with_an_invalid_token_epoch(db: Db) {
        use_all_switches(&TestApp::new(db).await, &[Damage::NegativeEpoch, Damage::LastEpoch]).await;
    }

    async fn lists_work_with_unreadable_rows(db: Db) {
        let app = TestApp::new(db).await;
        let mut root = root(&app).await;
        let mut sound = Victim::new(&app, 1, Damage::Others).await;
        let events = sound.laptop.get("/api/account/events").await;
        assert_eq!(events.status, 200, "{}", events.text());
        assert!(events.text().contains("signed_in") && events.text().contains("registered"), "{}", events.text());
        let sessions = sound.laptop.get("/api/sessions").await;
        assert_eq!(sessions.status, 200, "{}", sessions.text());
        assert!(sessions.text().contains(&sound.phone.session_id().to_string()));
        assert_eq!(sound.laptop.get("/api/account/alarm").await.status, 200);

        let odd = Victim::new(&app, 2, Damage::UnknownRole).await;
        let users = root.get("/api/admin/users").await;
        assert_eq!(users.status, 200, "{}", users.text());
        for email in [&odd.email, &sound.email] {
            assert!(users.text().contains(email.as_str()), "{}", users.text());
        }
    }

    async fn a_session_revoked_by_a_newer_version_is_revoked(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        app.execute("UPDATE sessions SET revoked_at = 1, revoke_reason = 'a_reason_of_a_newer_version'").await;
        let refused = client.refresh().await;
        refused.assert_problem(401, "session_revoked");
        assert!(refused.clears_the_cookie());
    }

    async fn the_command_line_revokes_unreadable_sessions(db: Db) {
        let deployment = Deployment::new(&db);
        let app = TestApp::new(db.again()).await;
        let commands: [&[&str]; 6] = [
            &["sessions", "list"],
            &["sessions", "revoke", "--user"],
            &["users", "set-role"],
            &["users", "disable"],
            &["users", "enable"],
            &["users", "delete"],
        ];
        for (number, damage) in [(1, Damage::UnknownRole), (2, Damage::NegativeEpoch)] {
            let victim = Victim::new(&app, number, damage).await;
            let own = victim.phone.session_id().to_string();
            deployment.stdout_of(&["sessions", "revoke", &own], "").await;
            assert!(deployment.stdout_of(&["users", "list"], "").await.contains(&victim.email));
            for command in commands {
                let mut arguments = command.to_vec();
                arguments.push(&victim.email);
                if command[1] == "set-role" {
                    arguments.push("user");
                }
                deployment.stdout_of(&arguments, "").await;
                if command[1] == "revoke" {
                    let mut laptop = victim.laptop.clone();
                    assert_eq!(laptop.refresh().await.status, 401, "{command:?} {damage:?}");
                }
            }
        }
    }
}
