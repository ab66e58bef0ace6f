//! Security headers of every response.

use http::Method;

use crate::support::{Db, TestApp};

const EVERYWHERE: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
];

#[tokio::test]
async fn pages_api_and_errors_carry_the_security_headers() {
    let app = TestApp::new(Db::sqlite()).await;
    let mut client = app.user().await;
    for path in [
        "/",
        "/login",
        "/register",
        "/account",
        "/nothing-here",
        "/api/me",
        "/api/nothing",
        "/health/live",
    ] {
        let answer = client.get(path).await;
        for (name, value) in EVERYWHERE {
            assert_eq!(answer.header(name), Some(value), "{name} of {path}");
        }
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(
            !policy.contains("'unsafe-inline'") && !policy.contains(" 'unsafe-eval'"),
            "{path}: {policy}"
        );
        assert!(answer.header("server").is_none());
    }
}

#[tokio::test]
async fn hsts_is_sent_only_with_https() {
    for (include_subdomains, expected) in [
        (None, "max-age=31536000"),
        (Some(false), "max-age=31536000"),
        (Some(true), "max-age=31536000; includeSubDomains"),
    ] {
        let app = TestApp::with(Db::sqlite(), |sections| {
            sections.http.public_origin = Some("https://keyturn.example".into());
            sections.http.trusted_proxies = web::config::TrustedProxies::None;
            if let Some(include) = include_subdomains {
                sections.http.hsts_include_subdomains = include;
            }
        })
        .await;
        let mut client = app.anonymous();
        let mut request = client.request(Method::GET, "/health/live", None);
        request
            .headers_mut()
            .insert("host", "keyturn.example".parse().expect("a value"));
        let answer = client.send(request).await;
        assert_eq!(answer.header("strict-transport-security"), Some(expected));
    }
    let local = TestApp::new(Db::sqlite())
        .await
        .anonymous()
        .get("/health/live")
        .await;
    assert_eq!(local.header("strict-transport-security"), None);
}

#[tokio::test]
async fn only_valid_json_content_types_are_accepted() {
    let app = TestApp::new(Db::sqlite()).await;
    let mut client = app.anonymous();
    for (media_type, status) in [
        ("application/json; charset=\"utf-8\"", 401),
        ("application/json;", 401),
        ("application/json; charset=\"utf-16\"", 415),
        ("application/json; charset", 415),
        ("text/plain; application/json", 415),
    ] {
        let body = serde_json::json!({ "email": "ada@example.com", "password": "wrong password, long" });
        let mut request = client.request(Method::POST, "/api/auth/login", Some(body));
        request
            .headers_mut()
            .insert("content-type", media_type.parse().expect("a value"));
        assert_eq!(client.send(request).await.status, status, "{media_type}");
    }
}

#[tokio::test]
async fn the_jwks_is_public_and_cacheable() {
    let app = TestApp::new(Db::sqlite()).await;
    let answer = app.anonymous().get("/.well-known/jwks.json").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    assert_eq!(
        answer.header("cross-origin-resource-policy"),
        Some("cross-origin")
    );
    let key = &answer.json()["keys"][0];
    assert_eq!(
        (&key["kty"], &key["crv"], &key["alg"], &key["use"]),
        (&"OKP".into(), &"Ed25519".into(), &"EdDSA".into(), &"sig".into())
    );
    assert!(key.get("d").is_none(), "the private half is never published");
}

#[tokio::test]
async fn wrong_methods_and_large_bodies_get_405_and_413() {
    let app = TestApp::new(Db::sqlite()).await;
    let mut client = app.anonymous();
    let answer = client.get("/api/auth/login").await;
    answer.assert_problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), Some("POST"));

    let body = serde_json::json!({ "email": "ada@example.com", "password": "x".repeat(20_000) });
    client
        .post("/api/auth/login", Some(body))
        .await
        .assert_problem(413, "payload_too_large");

    // Refused by its announced length, before the body is sent.
    let mut request = client.request(Method::POST, "/api/auth/refresh", None);
    request
        .headers_mut()
        .insert("content-length", "99999999".parse().expect("a value"));
    client
        .send(request)
        .await
        .assert_problem(413, "payload_too_large");
    let mut request = client.request(Method::POST, "/api/auth/login", Some(serde_json::json!({})));
    request
        .headers_mut()
        .insert("content-encoding", "gzip".parse().expect("a value"));
    client
        .send(request)
        .await
        .assert_problem(415, "unsupported_media_type");

    for (text, status, code) in [
        ("{", 400, "malformed_json"),
        ("", 400, "malformed_json"),
        (
            r#"{"email":"a@b.c","password":"x"} trailing"#,
            400,
            "malformed_json",
        ),
        ("[]", 422, "validation_failed"),
        (r#"["a@b.c", "x", true]"#, 422, "validation_failed"),
        ("[1,", 400, "malformed_json"),
        ("null", 422, "validation_failed"),
        (r#"{"email":"a@b.c"}"#, 422, "validation_failed"),
        (r#"{"email":"a@b.c","password":123}"#, 422, "validation_failed"),
        (
            r#"{"email":"a@b.c","password":"x","password":"y"}"#,
            422,
            "validation_failed",
        ),
    ] {
        let mut request = client.request(Method::POST, "/api/auth/login", Some(serde_json::json!({})));
        *request.body_mut() = text.to_owned().into();
        let answer = client.send(request).await;
        answer.assert_problem(status, code);
        assert!(
            !answer.text().contains("LoginRequest"),
            "our types are not named: {}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn a_body_that_is_not_utf_8_is_malformed_json() {
    let app = TestApp::new(Db::sqlite()).await;
    let mut client = app.anonymous();
    let mut request = client.request(Method::POST, "/api/auth/login", Some(serde_json::json!({})));
    *request.body_mut() = b"{\"email\":\"a@b.c\",\"password\":\"\xff\"}".to_vec().into();
    client.send(request).await.assert_problem(400, "malformed_json");
}

#[tokio::test]
async fn clear_site_data_is_sent_only_as_configured() {
    use web::config::ClearSiteData::{Cookies, Storage};

    for (kinds, expected) in [
        (Vec::new(), None),
        (vec![Cookies, Storage], Some(r#""cookies", "storage""#)),
    ] {
        let app = TestApp::with(Db::sqlite(), |sections| sections.http.clear_site_data = kinds).await;
        let mut user = app.user().await;
        assert_eq!(user.refresh().await.header("clear-site-data"), None);
        let done = user
            .post("/api/auth/logout-all", Some(serde_json::json!({})))
            .await;
        assert_eq!((done.status, done.header("clear-site-data")), (204, expected));
        // Also when there was nothing left to end.
        let again = user.logout().await;
        assert_eq!((again.status, again.header("clear-site-data")), (204, expected));

        user.login("ada@example.com", crate::support::PASSWORD).await;
        let wrong = serde_json::json!({ "current_password": "wrong" });
        let request = user.request(Method::DELETE, "/api/account", Some(wrong));
        let refused = user.send(request).await;
        assert_eq!((refused.status, refused.header("clear-site-data")), (401, None));
        let right = serde_json::json!({ "current_password": crate::support::PASSWORD });
        let request = user.request(Method::DELETE, "/api/account", Some(right));
        let deleted = user.send(request).await;
        assert_eq!(
            (deleted.status, deleted.header("clear-site-data")),
            (204, expected)
        );
    }
}
