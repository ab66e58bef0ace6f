//! The request log: each line names the user, the client and the request id, and no secret.

use std::{fs, path::PathBuf};

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Db, PASSWORD, process::Deployment};

struct Logged {
    _folder: TempDir,
    path: PathBuf,
}

impl Logged {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("log");
        Self {
            _folder: folder,
            path,
        }
    }

    fn read(&self) -> String {
        fs::read_to_string(&self.path).expect("a log")
    }

    /// The last request line of a route.
    fn line(&self, route: &str) -> String {
        let log = self.read();
        let line = log
            .lines()
            .rev()
            .find(|line| line.contains(&format!("route=\"{route}\"")) && line.contains(" micros="));
        line.unwrap_or_else(|| panic!("nothing about {route} in:\n{log}"))
            .to_owned()
    }
}

#[tokio::test]
async fn a_request_is_logged_with_who_and_where_and_without_secrets() {
    let logged = Logged::new();
    let deployment = Deployment::new(&Db::sqlite())
        .logging_to(&logged.path)
        .with("KEYTURN__LOG__FILTER", "trace");
    let node = deployment.node().await;
    let register = json!({ "email": "ada@example.com", "password": PASSWORD });
    let signed_in = node.post("/api/auth/register", None, &register).await;
    let token = signed_in.json()["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let user = signed_in.json()["user"]["id"]
        .as_str()
        .expect("an id")
        .replace('-', "");
    let session = node.get("/api/auth/session?secret=in-the-query", &token).await;
    let session = session.json()["sid"].as_str().expect("an id").replace('-', "");
    node.post(
        "/api/auth/login",
        None,
        &json!({ "email": "ada@example.com", "password": "another lantern of moss" }),
    )
    .await;
    let refused = node.get("/api/admin/users", &token).await;

    for route in ["/api/auth/register", "/api/auth/session", "/api/admin/users"] {
        let line = logged.line(route);
        assert!(line.contains("client=\"127.0.0.1\""), "{line}");
        assert!(line.contains(&format!("user={} ", &user[20..])), "{line}");
        assert!(line.contains(&format!("session={}", &session[20..])), "{line}");
    }
    let line = logged.line("/api/auth/login");
    assert!(
        line.contains("user=- session=-") && line.contains("invalid_credentials"),
        "{line}"
    );
    // The response and its log line have the same id.
    let (_, id) = refused.text.split_once("x-request-id: ").expect("an id");
    let id = &id[..16];
    assert!(
        logged
            .line("/api/admin/users")
            .contains(&format!("request_id={id} ")),
        "{id}"
    );

    let log = logged.read();
    let cookie = signed_in.text.split_once("__Host-refresh=").expect("a cookie").1;
    let cookie = cookie.split(';').next().expect("a value");
    for secret in [
        &*token,
        cookie,
        PASSWORD,
        "another lantern",
        "in-the-query",
        "eyJ",
        "Bearer ",
        "$argon2",
    ] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

/// Password hashing runs on another thread, whose lines belong to the request all the same. The filter names only the
/// crate, because the request's span is independent of it.
#[tokio::test]
async fn every_log_line_of_a_request_has_its_request_id() {
    let logged = Logged::new();
    let deployment = Deployment::new(&Db::sqlite())
        .logging_to(&logged.path)
        .with(
            "KEYTURN__LOG__FILTER",
            "off,web::passwords=debug,keyturn::security=warn",
        )
        .with("KEYTURN__HTTP__TRUSTED_PROXIES", "[\"127.0.0.0/8\"]");
    let node = deployment.node().await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD }).to_string();
    for id in ["edge-1", "edge-2"] {
        let header = format!("x-request-id: {id}\r\n");
        let answer = node.exchange("POST", "/api/auth/login", &header, &body).await;
        assert_eq!(answer.status, 401, "{}", answer.text);
        let log = logged.read();
        for line in ["password hashing: finished", "sign-in: failed"] {
            let span = format!("request_id={id} method=POST route=\"/api/auth/login\"");
            let is_there = |text: &str| text.contains(line) && text.contains(&span);
            assert!(log.lines().any(is_there), "{line} of {id} in:\n{log}");
        }
    }
    let log = logged.read();
    // The start publishes the first key.
    let mut of_requests = log.lines().filter(|line| !line.contains("signing key"));
    assert!(of_requests.all(|line| line.contains("request_id=edge-")), "{log}");
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_forwarded_address_is_logged() {
    let logged = Logged::new();
    let deployment = Deployment::new(&Db::sqlite())
        .logging_to(&logged.path)
        .with("KEYTURN__LOG__FILTER", "info,server=debug")
        .with("KEYTURN__HTTP__TRUSTED_PROXIES", "[\"127.0.0.0/8\"]");
    let node = deployment.node().await;
    node.exchange("GET", "/api/me", "x-forwarded-for: 203.0.113.9\r\n", "")
        .await;
    assert!(
        logged.line("/api/me").contains("client=\"203.0.113.9\""),
        "{}",
        logged.read()
    );
}

#[tokio::test]
async fn a_log_file_has_no_colours_and_no_startup_notices() {
    for db in [Db::sqlite(), Db::postgres().await] {
        let logged = Logged::new();
        let deployment = Deployment::new(&db)
            .logging_to(&logged.path)
            .with("KEYTURN__LOG__FILTER", "info");
        // The first start creates the schema; the second is a normal start.
        for _ in 0..2 {
            let node = deployment.node().await;
            node.get("/api/me", "no token").await;
        }
        let log = logged.read();
        assert!(log.contains("request refused"), "{log}");
        assert!(!log.contains('\u{1b}'), "{log}");
        for notice in ["migration", "already exists", "seaql", "notice"] {
            assert!(!log.to_lowercase().contains(notice), "{notice}: {log}");
        }
    }
}

#[tokio::test]
async fn a_misspelt_environment_variable_logs_a_warning() {
    let logged = Logged::new();
    let deployment = Deployment::new(&Db::sqlite())
        .logging_to(&logged.path)
        .with("KEYTURN_HTTP_REQUEST_TIMEOUT", "1s");
    deployment.node().await;
    let log = logged.read();
    assert!(
        log.contains("KEYTURN_HTTP_REQUEST_TIMEOUT") && log.contains("KEYTURN__HTTP__REQUEST_TIMEOUT"),
        "{log}"
    );
}
