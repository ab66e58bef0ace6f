//! `/api/csp-report`: browsers' reports of blocked content (CSP Level 3 §5, Reporting API).
//!
//! A report tells operators that a page tried to load or run something that its Content-Security-Policy forbids: an
//! injected script, or our own mistake. Anyone can send one, so a report only becomes a log line and a count. Nothing
//! is stored, the response is empty, and the refresh cookie that browsers send along is ignored.

use api_types::{paths, problem::ProblemCode};
use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::post,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use crate::{
    error::ApiError,
    extract::{client_ip, media_type, read_body},
    state::AppState,
};
/// Logged reports per request, which may contain many.
const MAX_LOGGED: usize = 5;
const MAX_TEXT: usize = 200;

/// The directives with their own metric label (CSP Level 3 §6). Everything else counts as `other`: a stranger must not
/// be able to create labels.
const DIRECTIVES: [&str; 17] = [
    "base-uri",
    "child-src",
    "connect-src",
    "default-src",
    "font-src",
    "form-action",
    "frame-ancestors",
    "frame-src",
    "img-src",
    "manifest-src",
    "media-src",
    "object-src",
    "script-src-attr",
    "script-src-elem",
    "style-src-attr",
    "style-src-elem",
    "worker-src",
];

pub(super) fn router(state: &AppState) -> Router<AppState> {
    Router::new()
        .route(paths::CSP_REPORT, post(receive_reports))
        .route_layer(from_fn_with_state(state.clone(), limit_reports))
}

/// One violation, from either format. Missing members stay empty: browsers differ.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Violation {
    #[serde(rename = "effectiveDirective", alias = "effective-directive")]
    directive: String,
    #[serde(rename = "blockedURL", alias = "blocked-uri")]
    blocked: Option<String>,
    #[serde(rename = "documentURL", alias = "document-uri")]
    document: String,
    #[serde(rename = "sourceFile", alias = "source-file")]
    source: Option<String>,
    #[serde(rename = "lineNumber", alias = "line-number")]
    line: Option<u32>,
}

/// `application/csp-report`, which `report-uri` sends.
#[derive(Deserialize)]
struct LegacyReport {
    #[serde(rename = "csp-report")]
    violation: Map<String, Value>,
}

/// An element of `application/reports+json`, which `report-to` sends. Reports of other kinds are skipped.
#[derive(Deserialize)]
struct Report {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    body: Map<String, Value>,
}

async fn limit_reports(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match state.csp_reports.attempt(client_ip(&parts)) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(wait) => ApiError::rate_limited(wait).into_response(),
    }
}

/// Logs and counts reports.
///
/// # Errors
/// 415 for another media type, 400 for a body that is not a report, 413 for a long one, 429 for too many.
async fn receive_reports(State(state): State<AppState>, request: Request) -> Result<StatusCode, ApiError> {
    let headers = request.headers();
    let is_list = media_type::is_one_of(headers, &["application/reports+json"]);
    if !is_list && !media_type::is_one_of(headers, &["application/csp-report"]) {
        return Err(ApiError::new(
            ProblemCode::UnsupportedMediaType,
            "Send a report as application/reports+json or application/csp-report.",
        ));
    }
    let body = read_body(request, &state).await?;
    let violations = parse(&body, is_list).map_err(|error| {
        ApiError::new(
            ProblemCode::MalformedJson,
            "The body is not a report. Check its format and send it again.",
        )
        .with_cause(error)
    })?;
    for (index, violation) in violations.iter().enumerate() {
        let directive = DIRECTIVES.iter().find(|known| **known == violation.directive);
        let directive = directive.copied().unwrap_or("other");
        metrics::counter!("keyturn_csp_violations_total", "directive" => directive).increment(1);
        if index < MAX_LOGGED {
            log(violation);
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

fn parse(body: &[u8], is_list: bool) -> Result<Vec<Violation>, serde_json::Error> {
    if !is_list {
        let LegacyReport { violation } = serde_json::from_slice(body)?;
        return Ok(vec![serde_json::from_value(violation.into())?]);
    }
    let reports: Vec<Report> = serde_json::from_slice(body)?;
    reports
        .into_iter()
        .filter(|report| report.kind == "csp-violation")
        .map(|report| serde_json::from_value(report.body.into()))
        .collect()
}

fn log(violation: &Violation) {
    let url = |text: &Option<String>| without_query(text.as_deref().unwrap_or_default());
    // In debug format, which escapes: all of it was written by strangers.
    tracing::warn!(
        directive = ?truncate(&violation.directive),
        blocked = ?url(&violation.blocked),
        document = ?without_query(&violation.document),
        source = ?url(&violation.source),
        line = violation.line.unwrap_or(0),
        "content security policy violation reported"
    );
}

/// A URL as far as it may be logged: queries and fragments may contain secrets, such as the code of a link in an email.
fn without_query(text: &str) -> String {
    match Url::parse(text) {
        Ok(url) if url.has_host() => {
            truncate(&format!("{}{}", url.origin().ascii_serialization(), url.path()))
        }
        // `data:` and `blob:` URLs contain content; the scheme is enough.
        Ok(url) => url.scheme().chars().take(MAX_TEXT).collect(),
        // A keyword such as `inline` or `eval`.
        Err(_) => truncate(text.split(['?', '#']).next().unwrap_or_default()),
    }
}

fn truncate(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_report_formats_are_parsed() {
        let legacy = br#"{"csp-report":{"document-uri":"https://keyturn.example/login?next=x","violated-directive":
            "img-src","effective-directive":"img-src","blocked-uri":"https://evil.example/x?token=1","line-number":1,
            "column-number":87,"source-file":"https://keyturn.example/login","status-code":200,"script-sample":""}}"#;
        let list = br#"[{"age":1,"type":"csp-violation","url":"https://keyturn.example/login","user_agent":"x",
            "body":{"documentURL":"https://keyturn.example/login?next=x","effectiveDirective":"img-src",
            "blockedURL":"https://evil.example/x?token=1","lineNumber":1,"sourceFile":"https://keyturn.example/login",
            "sample":"","disposition":"enforce","statusCode":200}},{"type":"deprecation","body":{"id":"x"}}]"#;
        for (body, is_list) in [(&legacy[..], false), (&list[..], true)] {
            let violations = parse(body, is_list).expect("a report");
            assert_eq!(violations.len(), 1);
            let violation = &violations[0];
            assert_eq!(
                (violation.directive.as_str(), violation.line),
                ("img-src", Some(1))
            );
            assert_eq!(
                violation.blocked.as_deref(),
                Some("https://evil.example/x?token=1")
            );
            assert_eq!(violation.document, "https://keyturn.example/login?next=x");
        }
        assert!(parse(legacy, true).is_err() && parse(list, false).is_err());
        assert!(parse(b"[", true).is_err() && parse(b"null", false).is_err());
    }

    #[test]
    fn urls_are_logged_without_query_and_credentials() {
        for (text, logged) in [
            (
                "https://keyturn.example/new-password?code=secret#x",
                "https://keyturn.example/new-password",
            ),
            ("https://ada:secret@evil.example/a", "https://evil.example/a"),
            ("inline", "inline"),
            ("data:text/html,secret", "data"),
            ("/relative?secret", "/relative"),
            ("", ""),
        ] {
            assert_eq!(without_query(text), logged);
        }
        assert!(without_query(&format!("https://evil.example/{}", "a".repeat(9999))).len() <= MAX_TEXT);
    }
}
