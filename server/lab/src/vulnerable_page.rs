//! A vulnerable page under each policy: how much a Content-Security-Policy helps once content is injected.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Query, State},
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    },
    response::{Html, IntoResponse, Response},
    routing::get,
};
use lab_types::{CellId, ContentPolicy, Strategy};
use serde::Deserialize;
use web::middleware::security_headers::page_policy;

use crate::{injection::InjectedContent, scope::EvidenceScope, state::Lab, targets::VULNERABLE_PAGE};

/// A common policy: inline scripts are allowed because the page has some, and the destinations of data are not
/// restricted.
const WEAK: &str = "script-src 'self' 'unsafe-inline' 'unsafe-eval'; object-src 'none'";
/// No script of the page may write markup or set script addresses from text.
const TRUSTED_TYPES: &str = "require-trusted-types-for 'script'; trusted-types 'none'";

/// The script that the page loads by a relative address; on the site's own host it does nothing.
const WIDGET: &str = "// The page's own widget.\n";
const RELATIVE: &str = "<script nonce=\"{nonce}\" src=\"widget.js?{address}\"></script>";

const HTML: &str = include_str!("assets/vulnerable.html");

/// The page, recorded like every attacked page.
pub fn router() -> Router<Arc<Lab>> {
    Router::new()
        .route(VULNERABLE_PAGE, get(page))
        .route("/widget.js", get(async || javascript(WIDGET.into())))
}

/// An additional endpoint of the page's own host: it responds with a script (JSONP), as old ones do.
pub async fn gadget(Query(JsonpQuery { callback }): Query<JsonpQuery>) -> Response {
    javascript(format!("{callback}({{}})"))
}

fn javascript(script: String) -> Response {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], script).into_response()
}

#[derive(Debug, Deserialize)]
pub struct JsonpQuery {
    callback: String,
}

async fn page(State(lab): State<Arc<Lab>>, scope: EvidenceScope) -> Response {
    let EvidenceScope { run, cell, step } = scope;
    let CellId::Script { policy, injection } = cell else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let nonce = lab.new_id();
    let address = format!("run={}&cell={cell}", run.id);
    let attacker = lab.sites.attacker.as_str();
    let at = step.map(|step| format!("&at={step}")).unwrap_or_default();
    let hit = format!("{attacker}/hit?{address}{at}");
    let content = InjectedContent::new(injection, &address, attacker, &hit);
    let html = HTML
        .replace("{markup}", &content.markup)
        .replace("{relative}", if content.relative { RELATIVE } else { "" })
        .replace("{text}", &escaped(&content.text))
        .replace("{address}", &address.replace('&', "&amp;"))
        .replace("{email}", &run.accounts.victim(Strategy::SessionCookie).email)
        .replace("{origin}", lab.sites.victim.as_str())
        .replace("{nonce}", &nonce);
    let mut response = ([(CACHE_CONTROL, "no-store")], Html(html)).into_response();
    if let Some(policy) = header_of(policy, &nonce).and_then(|policy| HeaderValue::try_from(policy).ok()) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The value of the header.
fn header_of(policy: ContentPolicy, nonce: &str) -> Option<String> {
    match policy {
        ContentPolicy::None => None,
        ContentPolicy::Weak => Some(WEAK.into()),
        ContentPolicy::Ours => Some(page_policy(nonce)),
        ContentPolicy::TrustedTypes => Some(format!("{}; {TRUSTED_TYPES}", page_policy(nonce))),
    }
}

/// Escapes text for the value of an attribute.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trusted_types_extend_the_policy_of_our_pages() {
        assert_eq!(header_of(ContentPolicy::None, "n"), None);
        assert_eq!(header_of(ContentPolicy::Ours, "n"), Some(page_policy("n")));
        let with = header_of(ContentPolicy::TrustedTypes, "n").expect("a policy");
        assert!(with.starts_with(&page_policy("n")));
        assert!(with.contains("require-trusted-types-for"));
    }

    #[test]
    fn text_stays_within_its_attribute() {
        assert_eq!(escaped("<a b=\"c&d\">"), "&lt;a b=&quot;c&amp;d&quot;>");
    }
}
