//! `/api/admin`

use std::time::Duration;

use http::Method;
use rotation::{Role, UserId};
use serde_json::{Value, json};
use store::ClientInfo;

use crate::support::{Client, Db, PASSWORD, TestApp, TestResponse, client::claims, on_both_databases};

const ENDPOINTS: [(&str, Method); 5] = [
    ("/api/admin/users", Method::GET),
    ("/api/admin/users/search", Method::POST),
    (
        "/api/admin/users/00000000000000000000000000000000/disable",
        Method::POST,
    ),
    (
        "/api/admin/users/00000000000000000000000000000000/enable",
        Method::POST,
    ),
    (
        "/api/admin/users/00000000000000000000000000000000/sessions",
        Method::DELETE,
    ),
];

fn id_of(client: &Client) -> String {
    let claims = claims(client.access.as_deref().expect("a token"));
    claims["sub"].as_str().expect("sub").to_owned()
}

async fn send(client: &mut Client, method: Method, path: &str) -> TestResponse {
    let request = client.request(method, path, None);
    client.send(request).await
}

/// A user with the role, assigned as `keyturn users set-role` does.
async fn admin(app: &TestApp) -> Client {
    let mut client = app.anonymous();
    assert_eq!(client.register("root@example.com", PASSWORD).await.status, 201);
    let id: UserId = id_of(&client).parse().expect("an id");
    let act = app.state.audit_context(ClientInfo::default());
    assert!(
        app.state
            .store
            .set_role(id, Role::Admin, &act)
            .await
            .expect("sets the role")
    );
    client.get("/api/me").await.assert_problem(401, "invalid_token");
    assert_eq!(client.login("root@example.com", PASSWORD).await.status, 200);
    client
}

on_both_databases! {
    async fn admin_endpoints_require_the_admin_role(db: Db) {
        let app = TestApp::new(db).await;
        let mut user = app.user().await;
        for (path, method) in ENDPOINTS {
            send(&mut user, method.clone(), path).await.assert_problem(403, "forbidden");
            send(&mut app.anonymous(), method, path).await.assert_problem(401, "invalid_token");
        }
        assert_eq!(send(&mut admin(&app).await, Method::GET, "/api/admin/users").await.status, 200);
    }

    async fn revoking_the_admin_role_invalidates_tokens_immediately(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = admin(&app).await;
        let id: UserId = id_of(&client).parse().expect("an id");
        let act = app.state.audit_context(ClientInfo::default());
        assert!(app.state.store.set_role(id, Role::User, &act).await.expect("sets the role"));
        client.get("/api/admin/users").await.assert_problem(401, "invalid_token");
        client.refresh().await.assert_problem(401, "session_revoked");
    }

    async fn accounts_are_listed_searched_and_paged(db: Db) {
        let app = TestApp::new(db).await;
        let mut root = admin(&app).await;
        for number in 0..5 {
            app.advance(Duration::from_millis(1));
            let answer = app.anonymous().register(&format!("user_{number}@example.com"), PASSWORD).await;
            assert_eq!(answer.status, 201);
        }
        let mut seen = Vec::new();
        let mut path = "/api/admin/users?limit=2".to_owned();
        loop {
            let page = root.get(&path).await.json();
            let users = page["users"].as_array().expect("a list");
            seen.extend(users.iter().map(|user| user["email"].as_str().expect("an address").to_owned()));
            match &page["next"] {
                Value::String(next) => path = format!("/api/admin/users?limit=2&after={next}"),
                _ => break,
            }
        }
        assert_eq!(seen.len(), 6);
        assert_eq!(seen[0], "root@example.com");
        for (search, found) in [("USER_", 5), ("user_3", 1), ("%", 0), ("r_3", 1), ("rx3", 0), ("root@", 1)] {
            let page = root.post("/api/admin/users/search", Some(json!({ "email": search }))).await.json();
            assert_eq!(page["users"].as_array().expect("a list").len(), found, "{search}");
        }
        let mut seen = Vec::new();
        let mut after = Value::Null;
        loop {
            let wanted = json!({ "email": "user_", "limit": 2, "after": after });
            let page = root.post("/api/admin/users/search", Some(wanted)).await.json();
            let users = page["users"].as_array().expect("a list");
            assert!(users.len() <= 2);
            seen.extend(users.iter().map(|user| user["id"].to_string()));
            after = page["next"].clone();
            if after.is_null() {
                break;
            }
        }
        seen.dedup();
        assert_eq!(seen.len(), 5);
    }

    async fn an_email_in_the_query_string_is_rejected(db: Db) {
        let app = TestApp::new(db).await;
        let mut root = admin(&app).await;
        root.get("/api/admin/users?search=ada@example.com").await.assert_problem(422, "validation_failed");
    }

    async fn a_disabled_account_cannot_sign_in_until_enabled(db: Db) {
        let app = TestApp::new(db).await;
        let mut root = admin(&app).await;
        let mut ada = app.user().await;
        app.advance(Duration::from_millis(1));
        let id = id_of(&ada);
        for _ in 0..2 {
            let answer = send(&mut root, Method::POST, &format!("/api/admin/users/{id}/disable")).await;
            assert_eq!(answer.status, 204, "{}", answer.text());
            app.advance(Duration::from_millis(1));
        }
        ada.get("/api/auth/session").await.assert_problem(401, "invalid_token");
        ada.refresh().await.assert_problem(401, "account_disabled");
        app.anonymous().login("ada@example.com", PASSWORD).await.assert_problem(401, "invalid_credentials");

        assert_eq!(send(&mut root, Method::POST, &format!("/api/admin/users/{id}/enable")).await.status, 204);
        app.advance(Duration::from_millis(1));
        let mut back = app.anonymous();
        assert_eq!(back.login("ada@example.com", PASSWORD).await.status, 200);
        let events = back.get("/api/account/events").await.json();
        let kinds: Vec<_> = events["events"].as_array().expect("a list").iter().map(|event| event["kind"].clone()).collect();
        assert_eq!(kinds, ["signed_in", "account_enabled", "account_disabled", "registered"]);
    }

    async fn an_administrator_cannot_disable_their_own_account(db: Db) {
        let app = TestApp::new(db).await;
        let mut root = admin(&app).await;
        let id = id_of(&root);
        send(&mut root, Method::POST, &format!("/api/admin/users/{id}/disable")).await.assert_problem(403, "forbidden");
        assert_eq!(root.get("/api/me").await.status, 200);
    }

    async fn an_administrator_revokes_all_sessions_of_an_account(db: Db) {
        let app = TestApp::new(db).await;
        let mut root = admin(&app).await;
        let mut ada = app.user().await;
        let id = id_of(&ada);
        assert_eq!(send(&mut root, Method::DELETE, &format!("/api/admin/users/{id}/sessions")).await.status, 204);
        ada.get("/api/me").await.assert_problem(401, "invalid_token");
        let refused = ada.refresh().await;
        refused.assert_problem(401, "session_revoked");
        assert_eq!(refused.json()["reason"], "revoked_by_operator");
        assert_eq!(ada.login("ada@example.com", PASSWORD).await.status, 200);
    }

    async fn an_unknown_account_id_returns_404(db: Db) {
        let app = TestApp::new(db).await;
        let mut root = admin(&app).await;
        for (path, method) in ENDPOINTS.iter().filter(|(path, _)| path.contains("/0000")) {
            send(&mut root, method.clone(), path).await.assert_problem(404, "not_found");
        }
        send(&mut root, Method::POST, "/api/admin/users/x/disable").await.assert_problem(404, "not_found");
    }

    async fn enabling_an_account_is_idempotent_and_affects_no_other(db: Db) {
        let app = TestApp::new(db).await;
        let mut root = admin(&app).await;
        let ada = app.user().await;
        let mut bob = app.anonymous();
        assert_eq!(bob.register("bob@example.com", PASSWORD).await.status, 201);
        for id in [id_of(&ada), id_of(&bob)] {
            assert_eq!(send(&mut root, Method::POST, &format!("/api/admin/users/{id}/disable")).await.status, 204);
        }
        for _ in 0..2 {
            let path = format!("/api/admin/users/{}/enable", id_of(&ada));
            assert_eq!(send(&mut root, Method::POST, &path).await.status, 204);
        }
        bob.login("bob@example.com", PASSWORD).await.assert_problem(401, "invalid_credentials");
        let mut back = app.anonymous();
        assert_eq!(back.login("ada@example.com", PASSWORD).await.status, 200);
        let events = back.get("/api/account/events").await.json();
        let kinds = events["events"].as_array().expect("a list").iter();
        assert_eq!(kinds.filter(|event| event["kind"] == "account_enabled").count(), 1);
    }

    async fn admin_events_show_the_actor_but_not_their_ip_or_device(db: Db) {
        let app = TestApp::new(db).await;
        let mut root = admin(&app).await;
        let mut ada = app.user().await;
        let id = id_of(&ada);
        let from = |mut request: http::Request<axum::body::Body>| {
            let agent = http::HeaderValue::from_static("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0");
            request.headers_mut().insert(http::header::USER_AGENT, agent);
            let peer = web::extract::Peer("198.51.100.7:4711".parse().expect("an address"));
            request.extensions_mut().insert(peer);
            request
        };
        for (method, path) in [
            (Method::DELETE, format!("/api/admin/users/{id}/sessions")),
            (Method::POST, format!("/api/admin/users/{id}/disable")),
            (Method::POST, format!("/api/admin/users/{id}/enable")),
        ] {
            app.advance(Duration::from_millis(1));
            let request = from(root.request(method, &path, None));
            assert_eq!(root.send(request).await.status, 204);
        }
        app.advance(Duration::from_millis(1));
        let body = json!({ "email": "ada@example.com", "password": PASSWORD });
        let login = from(ada.request(Method::POST, "/api/auth/login", Some(body)));
        assert_eq!(ada.send(login).await.status, 200);
        let page = ada.get("/api/account/events").await.json();
        let events = page["events"].as_array().expect("a list");
        assert_eq!(events[0]["kind"], "signed_in");
        assert_eq!((events[0]["ip"].as_str(), events[0].get("actor")), (Some("198.51.100.7"), None));
        for (event, kind) in events[1..4].iter().zip(["account_enabled", "account_disabled", "session_revoked"]) {
            assert_eq!(event["kind"], kind);
            assert_eq!(event["actor"], "administrator");
            assert!(event["ip"].is_null() && event["device"].is_null(), "{event}");
        }
        assert!(!page.to_string().contains(&id_of(&root)));

        // A row from an older version, which stored them, does not reveal them either.
        app.execute("UPDATE security_events SET ip = '198.51.100.7', user_agent = 'Firefox' WHERE actor IS NOT NULL").await;
        let page = ada.get("/api/account/events").await.json();
        assert!(page["events"][1]["ip"].is_null() && page["events"][1]["device"].is_null());
    }

    async fn a_search_with_control_characters_finds_no_account(db: Db) {
        let app = TestApp::new(db).await;
        let mut root = admin(&app).await;
        for search in ["\0", "a\0b", "\0root", "\u{1}", "\u{1b}[31m", "\u{7f}"] {
            let answer = root.post("/api/admin/users/search", Some(json!({ "email": search }))).await;
            assert_eq!(answer.status, 200, "{search}: {}", answer.text());
            assert_eq!(answer.json()["users"].as_array().expect("a list").len(), 0, "{search}");
        }
    }

    async fn control_characters_break_no_query(db: Db) {
        let app = TestApp::new(db).await;
        let mut root = admin(&app).await;
        for bad in ["%00", "00000000000000000000000000000000%00", "%01", "%FF", "%C2%85"] {
            for (method, path) in [
                (Method::DELETE, format!("/api/sessions/{bad}")),
                (Method::POST, format!("/api/admin/users/{bad}/disable")),
                (Method::POST, format!("/api/admin/users/{bad}/enable")),
                (Method::DELETE, format!("/api/admin/users/{bad}/sessions")),
                (Method::GET, format!("/api/sessions?after={bad}")),
                (Method::GET, format!("/api/account/events?before={bad}")),
                (Method::GET, format!("/api/admin/users?after={bad}")),
            ] {
                let answer = send(&mut root, method.clone(), &path).await;
                assert!(answer.status < 500, "{method} {path}: {} {}", answer.status, answer.text());
            }
        }
        for bad in ["\u{0}", "a\u{0}b", "\u{1}", "\u{7f}", "\u{85}"] {
            let email = format!("ada{bad}@example.com");
            for (path, body) in [
                ("/api/auth/login", json!({ "email": email, "password": PASSWORD })),
                ("/api/auth/login", json!({ "email": "root@example.com", "password": format!("{PASSWORD}{bad}") })),
                ("/api/auth/register", json!({ "email": email, "password": PASSWORD })),
                ("/api/auth/register", json!({ "email": "eve@example.com", "password": PASSWORD, "display_name": bad })),
                ("/api/admin/users/search", json!({ "email": bad, "after": bad })),
                ("/api/account/alarm", json!({ "id": bad })),
                ("/api/account/password", json!({ "current_password": bad, "new_password": bad })),
            ] {
                let answer = root.post(path, Some(body)).await;
                assert!(answer.status < 500, "{path} {bad:?}: {} {}", answer.status, answer.text());
            }
            let renamed = root.patch("/api/me", json!({ "display_name": format!("A{bad}") })).await;
            assert!(renamed.status < 500, "{bad:?}: {}", renamed.text());
        }
    }
}
