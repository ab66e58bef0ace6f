//! Reports of what browsers blocked: only counted and logged.

use axum::body::Body;
use http::{Method, Request};
use web::extract::Peer;

use crate::support::{Db, TestApp, app::ORIGIN, log::Log};

const PATH: &str = "/api/csp-report";
const LEGACY: &str = r#"{"csp-report":{"document-uri":"http://localhost:3000/new-password?code=hush-1","effective-directive":
"script-src-elem","blocked-uri":"https://evil.example/x.js?stolen=hush-2","source-file":"http://localhost:3000/#hush-3",
"line-number":7,"script-sample":"hush-4"}}"#;
const LIST: &str = r#"[{"type":"csp-violation","age":3,"url":"http://localhost:3000/?x=hush-1","body":{
"documentURL":"http://localhost:3000/new-password?code=hush-1","effectiveDirective":"script-src-elem","lineNumber":7,
"blockedURL":"https://evil.example/x.js?stolen=hush-2","sourceFile":"http://localhost:3000/#hush-3","sample":"hush-4"}}]"#;

/// As a browser sends it: without our header, and with all cookies.
fn report(media_type: &str, text: impl Into<Body>) -> Request<Body> {
    let mut request = Request::post(PATH)
        .header("host", "localhost:3000")
        .header("origin", ORIGIN)
        .header("sec-fetch-site", "same-origin")
        .header("cookie", "__Host-refresh=a.b.c")
        .header("content-type", media_type)
        .body(text.into())
        .expect("a request");
    request.extensions_mut().insert(Peer(([192, 0, 2, 1], 1).into()));
    request
}

#[tokio::test]
async fn csp_reports_are_logged_without_secrets() {
    let app = TestApp::new(Db::sqlite()).await;
    for (media_type, text) in [
        ("application/csp-report", LEGACY),
        ("application/reports+json", LIST),
    ] {
        let log = Log::start();
        let answer = app.anonymous().send(report(media_type, text)).await;
        assert_eq!((answer.status, answer.text().as_str()), (204, ""), "{media_type}");
        assert!(answer.set_cookie().is_none());
        let lines = log.lines().join("\n");
        for part in [
            "content security policy violation reported",
            "script-src-elem",
            "https://evil.example/x.js",
            "http://localhost:3000/new-password",
        ] {
            assert!(lines.contains(part), "{part} is not in {lines}");
        }
        assert!(!lines.contains("hush"), "{lines}");
    }
}

/// Chromium's Reporting API sends `Origin` and cookies, and no `Sec-Fetch-Site`.
#[tokio::test]
async fn csp_reports_are_accepted_only_from_the_same_origin() {
    let app = TestApp::new(Db::sqlite()).await;
    let mut client = app.anonymous();
    let mut own = report("application/reports+json", LIST);
    own.headers_mut().remove("sec-fetch-site");
    assert_eq!(client.send(own).await.status, 204);
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let mut foreign = report("application/reports+json", LIST);
        foreign
            .headers_mut()
            .insert(name, value.parse().expect("a value"));
        let answer = client.send(foreign).await;
        answer.assert_problem(403, "cross_site_request");
    }
}

#[tokio::test]
async fn malformed_csp_reports_are_rejected() {
    let app = TestApp::new(Db::sqlite()).await;
    let mut client = app.anonymous();
    for media_type in [
        "text/plain",
        "application/json",
        "application/x-www-form-urlencoded",
        "",
    ] {
        let answer = client.send(report(media_type, LEGACY)).await;
        answer.assert_problem(415, "unsupported_media_type");
    }
    for text in ["", "{", "[]", "null", r#"{"csp-report":[]}"#, "\u{0}"] {
        let answer = client.send(report("application/csp-report", text)).await;
        answer.assert_problem(400, "malformed_json");
    }
    let large = format!(r#"[{{"type":"{}"}}]"#, "x".repeat(20_000));
    let answer = client.send(report("application/reports+json", large)).await;
    answer.assert_problem(413, "payload_too_large");
    let get = client.request(Method::GET, PATH, None);
    client.send(get).await.assert_problem(405, "method_not_allowed");
}

#[tokio::test]
async fn csp_reports_are_rate_limited_per_address() {
    let app = TestApp::new(Db::sqlite()).await;
    let mut client = app.anonymous();
    let mut taken = 0;
    let refused = loop {
        let answer = client.send(report("application/csp-report", LEGACY)).await;
        if answer.status != 204 {
            break answer;
        }
        taken += 1;
        assert!(taken < 100, "there is no limit");
    };
    refused.assert_problem(429, "rate_limited");
    assert!(refused.header("retry-after").is_some() && taken >= 30);
    // It does not limit other endpoints.
    assert_eq!(
        client
            .register("ada@example.com", crate::support::PASSWORD)
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn pages_declare_the_csp_report_endpoint() {
    for (origin, host, directives) in [
        (
            "http://localhost:3000",
            "localhost:3000",
            "report-uri /api/csp-report",
        ),
        (
            "https://keyturn.example",
            "keyturn.example",
            "report-uri /api/csp-report; report-to csp",
        ),
    ] {
        let app = TestApp::with(Db::sqlite(), |sections| {
            sections.http.public_origin = Some(origin.into());
            sections.http.trusted_proxies = web::config::TrustedProxies::None;
        })
        .await;
        let mut request = app.anonymous().request(Method::GET, "/login", None);
        request
            .headers_mut()
            .insert("host", host.parse().expect("a value"));
        let page = app.anonymous().send(request).await;
        let policy = page.header("content-security-policy").expect("a policy");
        assert!(policy.ends_with(directives), "{policy}");
        assert_eq!(
            page.header("reporting-endpoints"),
            Some(r#"csp="/api/csp-report""#)
        );
    }
}
