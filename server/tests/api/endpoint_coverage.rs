//! Every route of the API, and its response to unauthorised clients.
//!
//! A new route must be added here: the list is compared with the paths in the wire crate.

use http::Method;

use crate::support::{Db, TestApp};

/// Open to everyone. This list may only shrink.
const OPEN: [(&str, Method); 6] = [
    ("/api/csp-report", Method::POST),
    ("/api/auth/register", Method::POST),
    ("/api/auth/login", Method::POST),
    ("/.well-known/jwks.json", Method::GET),
    ("/health/live", Method::GET),
    ("/health/ready", Method::GET),
];
/// Authenticated by the refresh cookie.
const BY_COOKIE: [(&str, Method); 2] = [
    ("/api/auth/refresh", Method::POST),
    ("/api/auth/logout", Method::POST),
];
/// Authenticated only by an access token.
const BY_BEARER: [(&str, Method); 17] = [
    ("/api/auth/session", Method::GET),
    ("/api/me", Method::GET),
    ("/api/me", Method::PATCH),
    ("/api/sessions", Method::GET),
    ("/api/sessions", Method::DELETE),
    ("/api/sessions/{id}", Method::DELETE),
    ("/api/account/events", Method::GET),
    ("/api/account/alarm", Method::GET),
    ("/api/account/alarm", Method::POST),
    ("/api/account/password", Method::POST),
    ("/api/account", Method::DELETE),
    ("/api/admin/users", Method::GET),
    ("/api/admin/users/search", Method::POST),
    ("/api/admin/users/{id}/disable", Method::POST),
    ("/api/admin/users/{id}/enable", Method::POST),
    ("/api/admin/users/{id}/sessions", Method::DELETE),
    ("/api/auth/logout-all", Method::POST),
];

/// Open if the lab is enabled; see `lab.rs` and `lab_live.rs`. Otherwise 404.
const BY_THE_LAB: [(&str, Method); 9] = [
    ("/api/lab/runs", Method::POST),
    ("/api/lab/runs/{id}", Method::GET),
    ("/api/lab/runs/{id}/events", Method::GET),
    ("/api/lab/runs/{id}/cells/{column}/{row}", Method::GET),
    ("/api/lab/runs/{id}/report", Method::GET),
    ("/api/lab/plays", Method::POST),
    ("/api/lab/plays/{id}", Method::GET),
    ("/api/lab/plays/{id}/acts", Method::POST),
    ("/api/lab/plays/{id}/events", Method::GET),
];

#[tokio::test]
async fn lab_endpoints_return_404_when_the_lab_is_disabled() {
    let mut visitor = TestApp::new(Db::sqlite()).await.anonymous();
    for (path, method) in BY_THE_LAB {
        let body = (method == Method::POST).then(|| serde_json::json!({}));
        let request = visitor.request(method, path, body);
        visitor.send(request).await.assert_problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_bearer_endpoint_accepts_only_a_valid_access_token() {
    let app = TestApp::new(Db::sqlite()).await;
    let user = app.user().await;
    let stranger = TestApp::new(Db::sqlite()).await.user().await;
    for (path, method) in BY_BEARER {
        // Well-formed, so that only the token can be the reason for a refusal.
        let body = match path {
            "/api/account" => Some(serde_json::json!({ "current_password": "" })),
            "/api/account/password" => {
                Some(serde_json::json!({ "current_password": "", "new_password": "" }))
            }
            "/api/account/alarm" if method == Method::POST => Some(serde_json::json!({ "id": "" })),
            _ => (method == Method::PATCH).then(|| serde_json::json!({})),
        };
        let candidates = [
            None,
            Some(String::new()),
            Some("a.b.c".to_owned()),
            user.refresh.clone(),
            stranger.access.clone(),
        ];
        for token in candidates {
            let mut client = user.clone();
            client.access.clone_from(&token);
            let request = client.request(method.clone(), path, body.clone());
            client.send(request).await.assert_problem(401, "invalid_token");
        }
        let mut client = user.clone();
        let request = client.request(method.clone(), path, body);
        let answer = client.send(request).await;
        let refused = answer.status == 401 && answer.json()["code"] == "invalid_token";
        assert!(
            !refused && answer.status < 500,
            "{method} {path}: {}",
            answer.text()
        );
    }
}

#[test]
fn every_api_path_is_in_a_coverage_list() {
    let source = include_str!("../../../app/api/src/paths.rs");
    let named: Vec<_> = source
        .lines()
        .filter_map(|line| line.strip_prefix("pub const ")?.split('"').nth(1))
        .collect();
    assert!(!named.is_empty());
    let covered: Vec<_> = OPEN
        .iter()
        .chain(&BY_COOKIE)
        .chain(&BY_BEARER)
        .chain(&BY_THE_LAB)
        .map(|(path, _)| *path)
        .collect();
    for path in named {
        assert!(covered.contains(&path), "{path} is in no list of this file");
    }
}
