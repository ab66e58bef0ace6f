//! The client's address: behind proxies, with every form of forwarding header, and without any.

use http::Method;
use serde_json::{Value, json};
use web::{config::RawConfig, extract::Peer};

use crate::support::{Client, Db, PASSWORD, TestApp, TestResponse, log::Log};

/// A trusted proxy's address and port.
const PROXY: &str = "10.0.0.1:40000";

fn trusting(text: &str) -> impl FnOnce(&mut RawConfig) {
    let value: Value = serde_json::from_str(text).expect("JSON");
    move |sections| {
        sections.http.trusted_proxies = serde_json::from_value(value).expect("proxies");
    }
}

async fn ask(
    client: &mut Client,
    peer: &str,
    headers: &[(&'static str, &str)],
    method: Method,
    path: &str,
    body: Option<Value>,
) -> TestResponse {
    let mut request = client.request(method, path, body);
    request
        .extensions_mut()
        .insert(Peer(peer.parse().expect("a socket address")));
    for (name, value) in headers {
        request
            .headers_mut()
            .append(*name, value.parse().expect("a value"));
    }
    client.send(request).await
}

/// The address in the list of sessions after a sign-in over `peer` with `headers`.
async fn shown(app: &TestApp, peer: &str, headers: &[(&'static str, &str)]) -> String {
    let mut client = app.anonymous();
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let answer = ask(
        &mut client,
        peer,
        headers,
        Method::POST,
        "/api/auth/login",
        Some(body),
    )
    .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let sessions = client.get("/api/sessions").await.json();
    let list = sessions
        .as_array()
        .or_else(|| sessions["sessions"].as_array())
        .expect("a list");
    let current = list
        .iter()
        .find(|entry| entry["current"] == true)
        .expect("this session");
    let ip = current["ip"].as_str().expect("an address").to_owned();
    assert_eq!(client.logout().await.status, 204);
    ip
}

#[tokio::test]
async fn the_session_list_shows_the_forwarded_client_address() {
    let app = TestApp::with(Db::sqlite(), trusting(r#"["10.0.0.0/8", "127.0.0.1", "[::1]"]"#)).await;
    app.user().await;
    let x = "x-forwarded-for";
    let f = "forwarded";
    for (peer, headers, expected) in [
        (PROXY, &[][..], "10.0.0.1"),
        (PROXY, &[(x, "192.0.2.7")], "192.0.2.7"),
        (PROXY, &[(x, "192.0.2.7:51234")], "192.0.2.7"),
        (PROXY, &[(x, "[2001:db8::7]:51234")], "2001:db8::7"),
        (PROXY, &[(x, "\"[2001:db8::7]\"")], "2001:db8::7"),
        (PROXY, &[(x, "6.6.6.6, 192.0.2.7")], "192.0.2.7"),
        (
            PROXY,
            &[(x, "6.6.6.6, 192.0.2.7, 10.0.0.2 ,10.0.0.3")],
            "192.0.2.7",
        ),
        (PROXY, &[(x, "6.6.6.6"), (x, "192.0.2.7")], "192.0.2.7"),
        (PROXY, &[(x, "192.0.2.7, , ")], "192.0.2.7"),
        (PROXY, &[(x, "192.0.2.7, unknown")], "10.0.0.1"),
        (PROXY, &[(x, "192.0.2.7, unknown, 10.0.0.2")], "10.0.0.2"),
        (PROXY, &[(x, "junk")], "10.0.0.1"),
        (PROXY, &[(x, "::ffff:192.0.2.7")], "192.0.2.7"),
        (PROXY, &[(x, "::ffff:10.0.0.2")], "10.0.0.2"),
        (PROXY, &[(x, "\", 192.0.2.7")], "192.0.2.7"),
        (PROXY, &[(f, "for=192.0.2.7")], "192.0.2.7"),
        (
            PROXY,
            &[(f, "For=\"[2001:db8::7]:47011\";proto=https")],
            "2001:db8::7",
        ),
        (
            PROXY,
            &[(f, "for=6.6.6.6, for=192.0.2.7;by=10.0.0.1, for=10.0.0.2")],
            "192.0.2.7",
        ),
        (PROXY, &[(f, "for=\"open, for=192.0.2.7")], "192.0.2.7"),
        (PROXY, &[(f, "for=6.6.6.6, for=_hidden")], "10.0.0.1"),
        (
            PROXY,
            &[(f, "for=6.6.6.6, for=unknown, for=10.0.0.2")],
            "10.0.0.2",
        ),
        (PROXY, &[(f, "for=192.0.2.7"), (x, "192.0.2.7")], "192.0.2.7"),
        // One of the two was written by the client, and it is unknown which.
        (PROXY, &[(f, "for=6.6.6.6"), (x, "192.0.2.7")], "10.0.0.1"),
        // A dual-stack socket shows IPv4 peers like this.
        ("[::ffff:10.0.0.1]:40000", &[(x, "192.0.2.7")], "192.0.2.7"),
        ("[::1]:40000", &[(x, "192.0.2.7")], "192.0.2.7"),
        ("127.0.0.1:40000", &[(x, "192.0.2.7")], "192.0.2.7"),
        ("127.0.0.2:40000", &[(x, "192.0.2.7")], "127.0.0.2"),
        ("[::ffff:203.0.113.9]:40000", &[(x, "192.0.2.7")], "203.0.113.9"),
        (
            "203.0.113.9:40000",
            &[(x, "192.0.2.7"), (f, "for=192.0.2.7")],
            "203.0.113.9",
        ),
        ("[2001:db8::9]:40000", &[(x, "192.0.2.7")], "2001:db8::9"),
    ] {
        assert_eq!(shown(&app, peer, headers).await, expected, "{peer} {headers:?}");
    }
}

#[tokio::test]
async fn without_trusted_proxies_forwarded_headers_are_ignored() {
    for change in [r#""none""#, "[]"] {
        let app = TestApp::with(Db::sqlite(), trusting(change)).await;
        app.user().await;
        assert_eq!(
            shown(&app, PROXY, &[("x-forwarded-for", "192.0.2.7")]).await,
            "10.0.0.1"
        );
    }
}

#[tokio::test]
async fn rate_limits_apply_to_the_forwarded_client_address() {
    let change = trusting(r#"["10.0.0.0/8"]"#);
    let app = TestApp::with(Db::sqlite(), |sections| {
        change(sections);
        sections.limits.attempts_per_minute = 2;
    })
    .await;
    let body = json!({ "email": "ada@example.com", "password": "another password" });
    let attempt = async |forwarded: &str| {
        let mut client = app.anonymous();
        let headers = [("x-forwarded-for", forwarded)];
        ask(
            &mut client,
            PROXY,
            &headers,
            Method::POST,
            "/api/auth/login",
            Some(body.clone()),
        )
        .await
        .status
    };
    for (forwarded, expected) in [
        ("192.0.2.7", 401),
        ("192.0.2.7", 401),
        ("192.0.2.7", 429),
        // What the client wrote in front changes nothing.
        ("6.6.6.6, 192.0.2.7", 429),
        ("[::ffff:192.0.2.7]:5", 429),
        ("192.0.2.8", 401),
        // One IPv6 network is one client.
        ("2001:db8:0:1::1", 401),
        ("[2001:db8:0:1::2]:443", 401),
        ("\"[2001:db8:0:1:ffff::3]\"", 429),
        ("2001:db8:0:2::1", 401),
    ] {
        assert_eq!(attempt(forwarded).await, expected, "{forwarded}");
    }
}

#[tokio::test]
async fn the_log_shows_the_forwarded_client_address() {
    let app = TestApp::with(Db::sqlite(), trusting(r#"["10.0.0.0/8"]"#)).await;
    let log = Log::start();
    let headers = [("x-forwarded-for", "6.6.6.6, 192.0.2.7")];
    let mut client = app.anonymous();
    let answer = ask(&mut client, PROXY, &headers, Method::GET, "/api/me", None).await;
    assert_eq!(answer.status, 401);
    let lines = log.lines();
    let line = lines
        .iter()
        .find(|line| line.contains("request refused"))
        .expect("a line");
    assert!(line.contains(r#"client="192.0.2.7""#), "{line}");
}

#[tokio::test]
async fn an_untrusted_forwarding_header_is_logged_once() {
    let app = TestApp::with(Db::sqlite(), trusting(r#"["10.0.0.0/8"]"#)).await;
    let log = Log::start();
    for (peer, header) in [
        ("192.0.2.1:5", ("forwarded", "for=1.2.3.4")),
        ("192.0.2.1:6", ("x-forwarded-for", "1.2.3.4")),
        ("192.0.2.1:7", ("x-forwarded-for", "1.2.3.4")),
        (PROXY, ("x-forwarded-for", "1.2.3.4")),
    ] {
        ask(
            &mut app.anonymous(),
            peer,
            &[header],
            Method::GET,
            "/health/live",
            None,
        )
        .await;
    }
    // However many peers do this, the log does not fill up.
    for last in 2..100 {
        let peer = format!("192.0.2.{last}:5");
        ask(
            &mut app.anonymous(),
            &peer,
            &[("x-forwarded-for", "1.2.3.4")],
            Method::GET,
            "/health/live",
            None,
        )
        .await;
    }
    let lines = log.lines();
    let warnings: Vec<_> = lines
        .iter()
        .filter(|line| line.contains("forwarding header ignored"))
        .collect();
    assert_eq!(
        warnings
            .iter()
            .filter(|line| line.contains("peer=192.0.2.1 "))
            .count(),
        1,
        "{warnings:?}"
    );
    assert!(warnings[0].contains("http.trusted_proxies"), "{}", warnings[0]);
    assert!(warnings.len() <= 8, "{}", warnings.len());
}
