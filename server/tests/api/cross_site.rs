//! Nothing that changes anything comes from another site, and nothing is done for another host.

use axum::body::Body;
use http::{Method, Request};

use crate::support::{Db, PASSWORD, TestApp};

const UNSAFE: [(&str, Method); 5] = [
    ("/api/auth/register", Method::POST),
    ("/api/auth/login", Method::POST),
    ("/api/auth/refresh", Method::POST),
    ("/api/auth/logout", Method::POST),
    ("/api/me", Method::PATCH),
];

#[tokio::test]
async fn every_unsafe_route_is_guarded_before_anything_is_read() {
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
            // A body that is no JSON at all: the guard must not come to see it.
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
async fn a_form_cannot_speak_to_the_api() {
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
async fn a_program_without_cookies_passes() {
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
async fn another_host_is_not_ours() {
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
    // A page under another loopback name moves to the public origin, an API does not.
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
    let mut two = get("localhost:3000", "/api/me");
    two.headers_mut()
        .append("host", "evil.example".parse().expect("a value"));
    client.send(two).await.assert_problem(421, "misdirected_request");
}
