//! Chapter H: what a client can do to HTTP itself and to the files of the site, over real connections.

use std::path::Path;

use axum::{Router, routing::get};
use http::{Method, Request};
use web::{AppState, routes::api_router};

use super::target::Target;
use crate::support::{Client, Db, PASSWORD, TestApp, app::ORIGIN, http::TestListener, on_both_databases};

/// A site folder, with files next to it that must not be served.
fn site() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in [
        ("secret.txt", "not for the world"),
        ("keyturn.db", "not for the world"),
        ("site/pkg/app.js", "plain"),
        ("site/pkg/app.wasm", "0123456789"),
        ("site/icon.svg", "<svg/>"),
    ] {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("writes");
    }
    folder
}

async fn with_site(db: Db, folder: &Path) -> TestApp {
    let site = folder.join("site");
    TestApp::with(db, move |sections| sections.http.site_dir = site).await
}

/// How many answers are in what a connection brought back.
fn answers(text: &str) -> usize {
    text.matches("HTTP/1.1 ").count() + text.matches("HTTP/1.0 ").count()
}

/// Nothing was smuggled: one answer at most, and an error.
#[track_caller]
fn assert_one_refusal(text: &str, what: &str) {
    assert!(answers(text) <= 1, "{what}: {text}");
    let status = text
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse::<u16>().ok());
    assert!(
        status.is_none_or(|status| (400..500).contains(&status) || status == 501 || status == 505),
        "{what}: {text}"
    );
}

on_both_databases! {
    async fn h_16_answers_with_tokens_are_not_compressed(db: Db) {
        let target = Target::new(db).await;
        let login = serde_json::json!({ "email": "ada@example.com", "password": PASSWORD });
        for (method, path, body) in [
            (Method::POST, "/api/auth/login", Some(login)),
            (Method::POST, "/api/auth/refresh", None),
            (Method::GET, "/api/me", None),
            (Method::GET, "/login?next=%2Faccount", None),
            (Method::GET, "/api/nothing", None),
        ] {
            let mut client = target.user.clone();
            if path == "/api/auth/login" {
                client = target.app.anonymous();
            }
            let mut request = client.request(method, path, body);
            request.headers_mut().insert("accept-encoding", "gzip, br, deflate, zstd".parse().expect("a value"));
            let answer = client.send(request).await;
            assert_eq!(answer.header("content-encoding"), None, "{path}");
        }
        target.assert_unharmed_but_rotated().await;
    }

    async fn h_22_a_handler_that_panics_costs_its_own_request(db: Db) {
        let app = TestApp::new(db).await;
        let more: Router<AppState> = Router::new().route("/api/panics", get(|| async { panics() }));
        let router = api_router(app.state.clone(), more);
        let mut client = Client::new(router.clone());
        assert_eq!(client.register("ada@example.com", PASSWORD).await.status, 201);
        for _ in 0..5 {
            let answer = client.get("/api/panics").await;
            answer.assert_problem(500, "internal_error");
            assert!(!answer.text().contains("planted"), "{}", answer.text());
            assert_eq!(answer.cookies_set().count(), 0);
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert_eq!(client.get("/api/me").await.status, 200);
            assert_eq!(client.refresh().await.status, 200);
        }
        // Over a connection it is the same answer, and not a connection that breaks off.
        let server = TestListener::start(router).await;
        let request = b"GET /api/panics HTTP/1.1\r\nhost: localhost:3000\r\nconnection: close\r\n\r\n";
        assert_eq!(server.status_of(request).await, Some(500));
    }
}

/// A handler that is broken.
fn panics() -> &'static str {
    panic!("planted")
}

#[tokio::test]
async fn h_04_a_long_request_line_is_refused() {
    let app = TestApp::new(Db::sqlite()).await;
    let server = TestListener::start(app.router.clone()).await;
    for length in [40 * 1024, 64 * 1024, 1024 * 1024] {
        let request = format!(
            "GET /{} HTTP/1.1\r\nhost: localhost:3000\r\nconnection: close\r\n\r\n",
            "a".repeat(length)
        );
        let text = server.exchange(request.as_bytes()).await;
        assert_one_refusal(&text, "a long path");
        let request = format!(
            "{} / HTTP/1.1\r\nhost: localhost:3000\r\nconnection: close\r\n\r\n",
            "A".repeat(length)
        );
        assert_one_refusal(&server.exchange(request.as_bytes()).await, "a long method");
    }
    let short = b"GET /health/live HTTP/1.1\r\nhost: localhost:3000\r\nconnection: close\r\n\r\n";
    assert_eq!(server.status_of(short).await, Some(200));
}

#[tokio::test]
async fn h_05_http_2_is_not_spoken() {
    let app = TestApp::new(Db::sqlite()).await;
    let server = TestListener::start(app.router.clone()).await;
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    let preface = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &settings[..]].concat();
    let text = server.exchange(&preface).await;
    assert_one_refusal(&text, "the preface of HTTP/2");
}

/// Requests that two servers in a row could read differently (RFC 9112 §11.2). None may become two here.
#[tokio::test]
async fn h_06_no_request_is_two() {
    let app = TestApp::new(Db::sqlite()).await;
    let server = TestListener::start(app.router.clone()).await;
    let smuggled = "GET /health/live HTTP/1.1\r\nhost: localhost:3000\r\nconnection: close\r\n\r\n";
    let length = smuggled.len() + 5;
    for (what, head) in [
        (
            "both lengths",
            format!("content-length: {length}\r\ntransfer-encoding: chunked"),
        ),
        (
            "both lengths, the other way round",
            format!("transfer-encoding: chunked\r\ncontent-length: {length}"),
        ),
        (
            "two lengths",
            format!("content-length: 0\r\ncontent-length: {length}"),
        ),
        ("two lengths in one", format!("content-length: 0, {length}")),
        ("a signed length", "content-length: +0".into()),
        ("a negative length", "content-length: -1".into()),
        ("a length in hexadecimal", "content-length: 0x0".into()),
        ("a length with a blank", "content-length: 0 0".into()),
        ("an unknown coding", "transfer-encoding: xchunked".into()),
        (
            "chunked is not last",
            "transfer-encoding: chunked, identity".into(),
        ),
        (
            "a coding with a blank in its name",
            "transfer-encoding : chunked".into(),
        ),
        ("a folded coding", "transfer-encoding:\r\n chunked".into()),
        ("a vertical tab", "transfer-encoding:\x0bchunked".into()),
        ("a NUL", "content-length: 0\0".into()),
    ] {
        let request = format!(
            "POST /api/auth/logout HTTP/1.1\r\nhost: localhost:3000\r\n{head}\r\n\r\n0\r\n\r\n{smuggled}"
        );
        let text = server.exchange(request.as_bytes()).await;
        assert!(answers(&text) <= 1, "{what}: {text}");
    }
    for (what, chunks) in [
        ("a chunk without an end", "5\r\nabc".to_owned()),
        (
            "a length that overflows",
            format!("ffffffffffffffff1\r\nabc\r\n0\r\n\r\n{smuggled}"),
        ),
        (
            "a length that is no number",
            format!("zz\r\nabc\r\n0\r\n\r\n{smuggled}"),
        ),
        ("a bare line feed", format!("3\nabc\n0\n\n{smuggled}")),
        (
            "a long extension",
            format!("3;{}\r\nabc\r\n0\r\n\r\n{smuggled}", "a".repeat(100_000)),
        ),
        (
            "a data that is too long",
            format!("3\r\nabcdef\r\n0\r\n\r\n{smuggled}"),
        ),
    ] {
        let request = format!(
            "POST /api/auth/login HTTP/1.1\r\nhost: localhost:3000\r\ncontent-type: application/json\r\n\
             transfer-encoding: chunked\r\n\r\n{chunks}"
        );
        let text = server.exchange_and_close(request.as_bytes()).await;
        assert_one_refusal(&text, what);
    }
    assert_eq!(server.status_of(smuggled.as_bytes()).await, Some(200));
}

#[tokio::test]
async fn h_07_no_path_leads_out_of_the_site() {
    let folder = site();
    let app = with_site(Db::sqlite(), folder.path()).await;
    let server = TestListener::start(app.router.clone()).await;
    let absolute = folder.path().join("secret.txt").display().to_string();
    for path in [
        "/../secret.txt",
        "/pkg/../../secret.txt",
        "/pkg/../../../../../../../../etc/passwd",
        "/%2e%2e/secret.txt",
        "/pkg/%2e%2e%2f%2e%2e%2fsecret.txt",
        "/pkg/..%2f..%2fsecret.txt",
        "/pkg/%252e%252e%252f%252e%252e%252fsecret.txt",
        "/pkg/..%5c..%5csecret.txt",
        "/pkg/..\\..\\secret.txt",
        "/pkg/%c0%ae%c0%ae/%c0%ae%c0%ae/secret.txt",
        "/pkg/app.js%00.txt",
        "/pkg/%00",
        "/pkg/app.js/../../../secret.txt",
        "/pkg//etc/passwd",
        "/pkg/C:/secret.txt",
        "/pkg/C%3a%5csecret.txt",
        "/pkg/./../../secret.txt",
        "/pkg/....//....//secret.txt",
        "/pkg",
        "/pkg/",
        &absolute,
        &format!("/pkg/{absolute}"),
        &format!("/pkg/{}", absolute.replace('/', "%2f")),
        "file:///etc/passwd",
        "http://localhost:3000/../secret.txt",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost:3000\r\nconnection: close\r\n\r\n");
        let text = server.exchange(request.as_bytes()).await;
        assert!(
            !text.contains("not for the world") && !text.contains("root:"),
            "{path}: {text}"
        );
        assert!(
            !text.starts_with("HTTP/1.1 200") && !text.starts_with("HTTP/1.1 5"),
            "{path}: {text}"
        );
    }
    let fine = b"GET /pkg/app.js HTTP/1.1\r\nhost: localhost:3000\r\nconnection: close\r\n\r\n";
    assert!(server.exchange(fine).await.ends_with("plain"));
}

#[tokio::test]
async fn h_08_files_that_are_not_the_sites_are_not_served() {
    let folder = site();
    let app = with_site(Db::sqlite(), folder.path()).await;
    let mut client = app.anonymous();
    for path in [
        "/.git/config",
        "/.git/HEAD",
        "/.env",
        "/.env.local",
        "/.htaccess",
        "/.DS_Store",
        "/Cargo.toml",
        "/Cargo.lock",
        "/src/main.rs",
        "/server/src/main.rs",
        "/pkg/app.js.map",
        "/pkg/app.wasm.map",
        "/pkg/.env",
        "/pkg/hash.txt",
        "/hash.txt",
        "/keyturn.db",
        "/keyturn.db-wal",
        "/data/keyturn.db",
        "/keyturn.toml",
        "/master.key",
        "/data/master.key",
        "/secret.txt",
        "/metrics",
        "/debug/pprof",
        "/server-status",
        "/wp-login.php",
    ] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(!answer.text().contains("not for the world"), "{path}");
    }
    assert_eq!(client.get("/icon.svg").await.status, 200);
}

#[tokio::test]
async fn h_09_ranges_cost_no_more_than_the_file() {
    let folder = site();
    let app = with_site(Db::sqlite(), folder.path()).await;
    let many: Vec<_> = (0..1_000).map(|_| "0-9").collect();
    for range in [
        "bytes=0-3".to_owned(),
        "bytes=-4".into(),
        "bytes=4-".into(),
        format!("bytes={}", many.join(",")),
        "bytes=0-99999999999999999999".into(),
        "bytes=18446744073709551615-".into(),
        "bytes=-18446744073709551616".into(),
        "bytes=9-0".into(),
        "bytes=--1".into(),
        "bytes=".into(),
        "lines=0-1".into(),
        "bytes=a-b".into(),
    ] {
        let mut client = app.anonymous();
        let mut request = client.request(Method::GET, "/pkg/app.wasm", None);
        request
            .headers_mut()
            .insert("range", range.parse().expect("a value"));
        let answer = client.send(request).await;
        assert!(
            matches!(answer.status, 200 | 206 | 416),
            "{range:.60}: {}",
            answer.status
        );
        assert!(
            answer.body.len() <= 10,
            "{range:.60}: {} bytes",
            answer.body.len()
        );
    }
}

#[tokio::test]
async fn h_10_unknown_methods_are_refused() {
    let folder = site();
    let app = with_site(Db::sqlite(), folder.path()).await;
    let server = TestListener::start(app.router.clone()).await;
    for path in [
        "/",
        "/login",
        "/api/me",
        "/api/auth/login",
        "/pkg/app.js",
        "/health/live",
    ] {
        for method in [
            "TRACE", "TRACK", "CONNECT", "DEBUG", "PROPFIND", "MKCOL", "COPY", "PUT", "LINK", "get",
            "NONSENSE",
        ] {
            let request = format!(
                "{method} {path} HTTP/1.1\r\nhost: localhost:3000\r\ncookie: a=marker\r\nconnection: close\r\n\r\n"
            );
            let text = server.exchange(request.as_bytes()).await;
            assert_one_refusal(&text, &format!("{method} {path}"));
            // TRACE would repeat the cookies to a script.
            assert!(!text.contains("marker"), "{method} {path}: {text}");
        }
    }
    let request = "CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example:443\r\nconnection: close\r\n\r\n";
    assert_one_refusal(
        &server.exchange(request.as_bytes()).await,
        "CONNECT to another host",
    );
}

#[tokio::test]
async fn h_11_older_and_newer_versions_of_http_get_nothing() {
    let app = TestApp::new(Db::sqlite()).await;
    let server = TestListener::start(app.router.clone()).await;
    for (what, request) in [
        ("0.9", "GET /api/me\r\n\r\n"),
        ("0.9, named", "GET /api/me HTTP/0.9\r\n\r\n"),
        ("1.0 without a host", "GET /api/me HTTP/1.0\r\n\r\n"),
        (
            "1.1 without a host",
            "GET /api/me HTTP/1.1\r\nconnection: close\r\n\r\n",
        ),
        (
            "1.1 with an empty host",
            "GET /api/me HTTP/1.1\r\nhost:\r\nconnection: close\r\n\r\n",
        ),
        ("1.2", "GET /api/me HTTP/1.2\r\nhost: localhost:3000\r\n\r\n"),
        ("2.0", "GET /api/me HTTP/2.0\r\nhost: localhost:3000\r\n\r\n"),
        ("3", "GET /api/me HTTP/3\r\nhost: localhost:3000\r\n\r\n"),
    ] {
        assert_one_refusal(&server.exchange_and_close(request.as_bytes()).await, what);
    }
    // An offer of HTTP/2 in clear text is not taken up.
    let upgrade = "GET /health/live HTTP/1.1\r\nhost: localhost:3000\r\nconnection: upgrade, http2-settings, close\r\nupgrade: h2c\r\n\
                   http2-settings: AAMAAABkAAQAAP__\r\n\r\n";
    let text = server.exchange_and_close(upgrade.as_bytes()).await;
    assert!(
        text.starts_with("HTTP/1.1 200") && !text.contains("101"),
        "{text}"
    );
}

#[tokio::test]
async fn h_12_a_thousand_requests_in_a_row_are_answered_in_order() {
    let app = TestApp::new(Db::sqlite()).await;
    let server = TestListener::start(app.router.clone()).await;
    let mut all = String::new();
    for number in 0..1_000 {
        let path = if number % 2 == 0 {
            "/health/live"
        } else {
            "/api/nothing"
        };
        let close = if number == 999 {
            "connection: close\r\n"
        } else {
            ""
        };
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost:3000\r\n{close}\r\n");
        all.push_str(&request);
    }
    let text = server.exchange(all.as_bytes()).await;
    let statuses: Vec<_> = text
        .split("HTTP/1.1 ")
        .skip(1)
        .map(|answer| &answer[..3])
        .collect();
    assert_eq!(statuses.len(), 1_000);
    assert!(statuses.chunks(2).all(|pair| pair == ["200", "404"]));
}

#[tokio::test]
async fn h_17_no_answer_is_split_by_what_it_repeats() {
    let app = TestApp::new(Db::sqlite()).await;
    let server = TestListener::start(app.router.clone()).await;
    for tail in [
        "%0d%0aset-cookie:%20a=marker",
        "%0aset-cookie:a=marker",
        "%E5%98%8A%E5%98%8Dset-cookie:a=marker",
        "%00",
        "\u{b}set-cookie:a=marker",
    ] {
        // What is repeated: the path and the query of a redirect, under our host and under another loopback name.
        for (host, path) in [
            ("localhost:3000", format!("/login/?next={tail}")),
            ("localhost:3000", format!("/{tail}/")),
            ("localhost:3000", format!("//evil.example{tail}/")),
            ("127.0.0.1:3000", format!("/login?next={tail}")),
            ("127.0.0.1:3000", format!("/{tail}")),
            ("localhost:3000", format!("/login?next={tail}")),
        ] {
            let request = format!(
                "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\nx-request-id: a{tail}\r\n\r\n"
            );
            let text = server.exchange(request.as_bytes()).await;
            let head = text
                .split("\r\n\r\n")
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase();
            assert!(
                !head
                    .lines()
                    .any(|line| line.trim_start().starts_with("set-cookie")),
                "{path}: {head}"
            );
            assert_eq!(answers(&text), 1, "{path}: {text}");
            if let Some(location) = head.lines().find_map(|line| line.strip_prefix("location: ")) {
                assert!(
                    location.starts_with("http://localhost:3000/"),
                    "{path}: {location}"
                );
            }
        }
    }
    // A value that a handler repeats from its own address only.
    let mut client = app.anonymous();
    let request = Request::get("/login/?next=%0d%0a").header("host", ORIGIN.trim_start_matches("http://"));
    let answer = client
        .send(request.body(axum::body::Body::empty()).expect("a request"))
        .await;
    assert_eq!(
        answer.header("location"),
        Some("http://localhost:3000/login?next=%0d%0a")
    );
}
