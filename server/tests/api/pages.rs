//! Rendered pages: what they know about the visitor, and what they must not know.

use std::time::Duration;

use http::Method;

use crate::support::{Client, Db, TestApp};

async fn session_marker(client: &mut Client, fetch_site: Option<&str>) -> String {
    let mut request = client.request(Method::GET, "/", None);
    request.headers_mut().remove("sec-fetch-site");
    request.headers_mut().remove("authorization");
    if let Some(site) = fetch_site {
        request
            .headers_mut()
            .insert("sec-fetch-site", site.parse().expect("a value"));
    }
    let answer = client.send(request).await;
    assert_eq!(answer.status, 200);
    let html = answer.text();
    let marker = html
        .split("data-session=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    marker.expect("a marker").to_owned()
}

#[tokio::test]
async fn the_page_session_marker_has_three_states() {
    let app = TestApp::new(Db::sqlite()).await;
    let mut user = app.user().await;
    assert_eq!(session_marker(&mut user, Some("none")).await, "signed-in");
    let mut anonymous = app.anonymous();
    assert_eq!(session_marker(&mut anonymous, Some("none")).await, "anonymous");
    assert_eq!(
        session_marker(&mut anonymous, Some("same-origin")).await,
        "anonymous"
    );
    // A browser withholds a Strict cookie after a link from another site.
    assert_eq!(
        session_marker(&mut anonymous, Some("cross-site")).await,
        "unknown"
    );
    assert_eq!(session_marker(&mut anonymous, None).await, "unknown");
    let mut forged = app.anonymous();
    forged.refresh = Some("a.b.c".into());
    assert_eq!(session_marker(&mut forged, Some("none")).await, "unknown");
    app.advance(Duration::from_hours(7 * 24));
    assert_eq!(session_marker(&mut user, Some("none")).await, "unknown");
}

#[tokio::test]
async fn reading_the_session_marker_has_no_effects() {
    let app = TestApp::new(Db::sqlite()).await;
    let mut user = app.user().await;
    for _ in 0..3 {
        assert_eq!(session_marker(&mut user, Some("none")).await, "signed-in");
    }
    assert_eq!(user.refresh().await.json()["expires_in"], 900);
    app.state.store.clone().close().await.expect("closes");
    assert_eq!(session_marker(&mut user, Some("none")).await, "signed-in");
}

#[tokio::test]
async fn pages_contain_no_tokens_or_account_data() {
    let app = TestApp::new(Db::sqlite()).await;
    let mut user = app.user().await;
    for path in ["/", "/login", "/register", "/account", "/nothing-here"] {
        let html = user.get(path).await.text();
        for secret in [
            user.access.as_deref(),
            user.refresh.as_deref(),
            Some("ada@example.com"),
        ] {
            assert!(!html.contains(secret.expect("a secret")), "{path}");
        }
        assert!(!html.contains("eyJ"), "{path} holds something like a token");
    }
}

#[tokio::test]
async fn every_page_response_has_a_new_csp_nonce() {
    let app = TestApp::new(Db::sqlite()).await;
    let mut client = app.anonymous();
    let mut nonces = std::collections::HashSet::new();
    for _ in 0..3 {
        let answer = client.get("/").await;
        let policy = answer.header("content-security-policy").expect("a policy");
        let nonce = policy
            .split("'nonce-")
            .nth(1)
            .and_then(|rest| rest.split('\'').next())
            .expect("a nonce")
            .to_owned();
        let html = answer.text();
        assert_eq!(
            html.matches("<script").count(),
            html.matches(&format!("nonce=\"{nonce}\"")).count(),
            "a script lacks its nonce"
        );
        assert!(!html.contains(" style=\""), "inline styles are not allowed");
        nonces.insert(nonce);
    }
    assert_eq!(nonces.len(), 3);
}

#[tokio::test]
async fn unknown_pages_and_api_paths_return_404() {
    let app = TestApp::new(Db::sqlite()).await;
    let mut client = app.anonymous();
    let page = client.get("/nothing-here").await;
    assert_eq!(page.status, 404);
    assert!(
        page.header("content-type")
            .is_some_and(|value| value.starts_with("text/html"))
    );
    for path in ["/api", "/api/", "/api/nothing", "/api/me/x.css"] {
        client.get(path).await.assert_problem(404, "not_found");
    }
    for path in [
        "/lab",
        "/api/lab",
        "/../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "/.git/config",
        "/pkg/..%5cx",
    ] {
        assert_eq!(client.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn static_files_are_cached_and_missing_files_return_404() {
    let site = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir(site.path().join("pkg")).expect("a folder");
    for (file, text) in [
        ("pkg/app.js", "plain"),
        ("pkg/app.js.br", "packed"),
        ("pkg/app.css", ""),
        ("pkg/app.wasm", ""),
        ("icon.svg", "<svg/>"),
        ("robots.txt", ""),
    ] {
        std::fs::write(site.path().join(file), text).expect("writes");
    }
    let folder = site.path().to_owned();
    let app = TestApp::with(Db::sqlite(), move |sections| sections.http.site_dir = folder).await;
    let mut client = app.anonymous();

    let file = client.get("/pkg/app.js").await;
    assert_eq!((file.status, file.text().as_str()), (200, "plain"));
    assert_eq!(
        file.header("cache-control"),
        Some("public, max-age=31536000, immutable")
    );
    assert_eq!(file.header("vary"), Some("Accept-Encoding"));
    let mut request = client.request(Method::GET, "/pkg/app.js", None);
    request
        .headers_mut()
        .insert("accept-encoding", "br".parse().expect("a value"));
    let packed = client.send(request).await;
    assert_eq!(
        (packed.text().as_str(), packed.header("content-encoding")),
        ("packed", Some("br"))
    );
    assert_eq!(
        client.get("/icon.svg").await.header("cache-control"),
        Some("public, max-age=86400")
    );

    for (path, kind) in [
        ("/pkg/app.js", "text/javascript; charset=utf-8"),
        ("/pkg/app.css", "text/css; charset=utf-8"),
        ("/pkg/app.wasm", "application/wasm"),
        ("/icon.svg", "image/svg+xml; charset=utf-8"),
        ("/robots.txt", "text/plain; charset=utf-8"),
    ] {
        assert_eq!(
            client.get(path).await.header("content-type"),
            Some(kind),
            "{path}"
        );
    }

    client
        .get("/pkg/nothing.js")
        .await
        .assert_problem(404, "not_found");
    client
        .get(&format!("/pkg/{}", "a".repeat(300)))
        .await
        .assert_problem(404, "not_found");
    let post = client.request(Method::POST, "/pkg/app.js", None);
    client.send(post).await.assert_problem(405, "method_not_allowed");
}

#[tokio::test]
async fn a_trailing_slash_redirects_to_the_canonical_path() {
    let app = TestApp::new(Db::sqlite()).await;
    let mut client = app.anonymous();
    for (path, to) in [
        ("/login/", "/login"),
        ("/login/?next=%2Faccount", "/login?next=%2Faccount"),
        ("//evil.example/", "//evil.example"),
    ] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, 308);
        assert_eq!(
            answer.header("location"),
            Some(format!("http://localhost:3000{to}").as_str())
        );
    }
    assert_eq!(client.get("/").await.status, 200);
}
