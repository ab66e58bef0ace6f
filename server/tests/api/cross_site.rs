//! Requests from other sites change nothing, and requests for other hosts are refused.

use axum::body::Body;
use http::{Method, Request};

use crate::support::{Db, PASSWORD, TestApp, log::Log};

const UNSAFE: [(&str, Method); 5] = [
    ("/api/auth/register", Method::POST),
    ("/api/auth/login", Method::POST),
    ("/api/auth/refresh", Method::POST),
    ("/api/auth/logout", Method::POST),
    ("/api/me", Method::PATCH),
];

#[tokio::test]
async fn cross_site_requests_are_rejected_before_body_parsing() {
    let app = TestApp::new(Db::sqlite()).await;
    let mut client = app.user().await;
    for (path, method) in UNSAFE {
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "none"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "http://localhost:3001"),
            ("origin", "http://localhost:3000.evil.example"),
        ] {
            let mut request = client.request(method.clone(), path, None);
            request
                .headers_mut()
                .insert(name, value.parse().expect("a value"));
            // A body that is not JSON: the guard must refuse before it is parsed.
            *request.body_mut() = Body::from("{");
            let answer = client.send(request).await;
            answer.assert_problem(403, "cross_site_request");
            assert!(answer.set_cookie().is_none());
            assert!(answer.header("access-control-allow-origin").is_none());
        }
    }
    assert_eq!(
        client.refresh().await.status,
        200,
        "nothing was changed by any of them"
    );
}

#[tokio::test]
async fn form_media_types_are_rejected_with_415() {
    let app = TestApp::new(Db::sqlite()).await;
    let mut client = app.anonymous();
    for media in [
        "application/x-www-form-urlencoded",
        "text/plain",
        "multipart/form-data; boundary=x",
        "",
    ] {
        let mut request = client.request(Method::POST, "/api/auth/login", Some(serde_json::json!({})));
        request
            .headers_mut()
            .insert("content-type", media.parse().expect("a value"));
        client
            .send(request)
            .await
            .assert_problem(415, "unsupported_media_type");
    }
}

#[tokio::test]
async fn a_non_browser_client_without_cookies_is_accepted() {
    let app = TestApp::new(Db::sqlite()).await;
    let mut client = app.anonymous();
    let mut request = client.request(
        Method::POST,
        "/api/auth/register",
        Some(serde_json::json!({"email": "a.b@example.com", "password": PASSWORD})),
    );
    for name in ["origin", "sec-fetch-site"] {
        request.headers_mut().remove(name);
    }
    assert_eq!(client.send(request).await.status, 201);

    let mut with_cookie = client.request(Method::POST, "/api/auth/refresh", None);
    for name in ["origin", "sec-fetch-site"] {
        with_cookie.headers_mut().remove(name);
    }
    client
        .send(with_cookie)
        .await
        .assert_problem(403, "cross_site_request");
}

#[tokio::test]
async fn requests_for_other_hosts_get_421_or_a_redirect() {
    let app = TestApp::new(Db::sqlite()).await;
    let mut client = app.anonymous();
    let get = |host: &str, path: &str| {
        Request::get(path)
            .header("host", host)
            .body(Body::empty())
            .expect("a request")
    };

    for host in [
        "evil.example",
        "localhost:3001",
        "localhost",
        "localhost:3000.evil.example",
        "ada@127.0.0.1:3000",
    ] {
        client
            .send(get(host, "/api/me"))
            .await
            .assert_problem(421, "misdirected_request");
        client
            .send(get(host, "/login"))
            .await
            .assert_problem(421, "misdirected_request");
        client
            .send(get(host, "/health/x"))
            .await
            .assert_problem(421, "misdirected_request");
        assert_eq!(
            client.send(get(host, "/health/live")).await.status,
            200,
            "probes ask the machine"
        );
    }
    // A page under another loopback name redirects to the public origin, an API request does not.
    for host in ["127.0.0.1:3000", "[::1]:3000", "app.localhost:3000"] {
        let answer = client.send(get(host, "/login?next=%2Faccount")).await;
        assert_eq!(answer.status, 307);
        assert_eq!(
            answer.header("location"),
            Some("http://localhost:3000/login?next=%2Faccount")
        );
        client
            .send(get(host, "/api/me"))
            .await
            .assert_problem(421, "misdirected_request");
    }
    // The detail says what to do and repeats nothing from the request.
    let refused = client.send(get("evil.example", "/api/me")).await;
    assert!(!refused.text().contains("evil"), "{}", refused.text());
    let mut two = get("localhost:3000", "/api/me");
    two.headers_mut()
        .append("host", "evil.example".parse().expect("a value"));
    client.send(two).await.assert_problem(421, "misdirected_request");
}

#[tokio::test]
async fn equivalent_spellings_of_the_host_are_accepted() {
    for (origin, spellings) in [
        (
            "https://keyturn.example",
            &[
                "keyturn.example",
                "keyturn.example:443",
                "keyturn.example:",
                "keyturn.example.",
                "KEYTURN.example.:443",
            ][..],
        ),
        ("http://localhost:3000", &["localhost:3000", "LocalHost.:3000"]),
    ] {
        let app = TestApp::with(Db::sqlite(), |sections| {
            sections.http.public_origin = Some(origin.into());
            sections.http.trusted_proxies = web::config::TrustedProxies::None;
        })
        .await;
        let mut client = app.anonymous();
        for host in spellings {
            // With an absolute request target, as a proxy may send it (RFC 9112 §3.2.2), and without.
            for target in [
                "/.well-known/jwks.json".to_owned(),
                format!("http://{host}/.well-known/jwks.json"),
            ] {
                let request = Request::get(target)
                    .header("host", *host)
                    .body(Body::empty())
                    .expect("a request");
                assert_eq!(client.send(request).await.status, 200, "{host} for {origin}");
            }
        }
        let request = Request::get("http://evil.example/.well-known/jwks.json")
            .header("host", spellings[0])
            .body(Body::empty())
            .expect("a request");
        client
            .send(request)
            .await
            .assert_problem(421, "misdirected_request");
    }
}

#[tokio::test]
async fn a_trailing_dot_host_redirects_pages_to_the_public_origin() {
    let app = TestApp::new(Db::sqlite()).await;
    let request = Request::get("/login?next=%2Faccount")
        .header("host", "localhost.:3000")
        .body(Body::empty())
        .expect("a request");
    let answer = app.anonymous().send(request).await;
    assert_eq!(answer.status, 307);
    assert_eq!(
        answer.header("location"),
        Some("http://localhost:3000/login?next=%2Faccount")
    );
}

#[tokio::test]
async fn the_log_of_a_421_names_both_hosts() {
    let app = TestApp::new(Db::sqlite()).await;
    let log = Log::start();
    let request = Request::get("/api/me")
        .header("host", "10.0.0.7:8080")
        .body(Body::empty())
        .expect("a request");
    app.anonymous()
        .send(request)
        .await
        .assert_problem(421, "misdirected_request");
    let lines = log.lines();
    let refused: Vec<_> = lines
        .iter()
        .filter(|line| line.contains("request refused"))
        .collect();
    assert_eq!(refused.len(), 1, "{lines:?}");
    for part in [
        "misdirected_request",
        "10.0.0.7:8080",
        "localhost:3000",
        "http.public_origin",
    ] {
        assert!(refused[0].contains(part), "{part} is not in {}", refused[0]);
    }
}
