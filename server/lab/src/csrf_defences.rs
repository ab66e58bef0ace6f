//! CSRF defences: a bank with one defence at each endpoint, as targets of forged requests.
//!
//! Every endpoint does the same for any signed-in visitor, and accepts any method and any content, as careless servers
//! do. Only the defence in front differs, and there is only one, so that its column shows its effect alone. The session
//! cookie is `SameSite=None`, except for the two defences that are that attribute.

use std::sync::Arc;

use api_types::header::{REQUESTED_WITH, REQUESTED_WITH_KEYTURN};
use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header::ORIGIN},
    response::{IntoResponse, Response},
    routing::any,
};
use lab_types::{CellId, CsrfDefence, Experiment, Strategy};
use serde_json::{Value, json};
use web::extract::Json;

use crate::{
    cookies::{in_request, with_cookies},
    product::ProductError,
    run::Run,
    scope::EvidenceScope,
    state::Lab,
    targets::{
        DOUBLE_SUBMIT_COOKIE, HOST_DOUBLE_SUBMIT_COOKIE, LAX_COOKIE, SESSION_COOKIE, STRICT_COOKIE,
        TOSSED_PATH, UNRESTRICTED_COOKIE, csrf_endpoint, csrf_session_cookie,
    },
};

/// The control requests that the visitor's own page makes before the attacks.
pub fn control_requests(experiment: Experiment) -> Vec<Value> {
    let request = |cell: CellId| match cell {
        CellId::Forgery { guard, .. } => {
            Some(json!({ "cell": cell.to_string(), "door": csrf_endpoint(guard) }))
        }
        _ => None,
    };
    experiment
        .rows()
        .concat()
        .into_iter()
        .filter_map(request)
        .collect()
}

/// The endpoints.
pub fn router() -> Router<Arc<Lab>> {
    Router::new().route("/guarded/{defence}/transfer", any(transfer))
}

async fn transfer(
    State(lab): State<Arc<Lab>>,
    Path(defence): Path<CsrfDefence>,
    EvidenceScope { run, .. }: EvidenceScope,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let refused = |status: StatusCode, why: &str| (status, Json(json!({ "error": why }))).into_response();
    if let Err(why) = check(defence, &method, &headers, &body, lab.sites.victim.as_str()) {
        return refused(StatusCode::FORBIDDEN, why);
    }
    let user = in_request(&headers, csrf_session_cookie(defence))
        .and_then(|id| run.with_state(|state| state.sessions.get(&id).cloned()));
    match user {
        Some(user) => Json(json!({ "transferred": 100, "from": user })).into_response(),
        None => refused(StatusCode::UNAUTHORIZED, "not signed in"),
    }
}

/// Checks whether a defence accepts a request, and returns the reason if not.
fn check(
    defence: CsrfDefence,
    method: &Method,
    headers: &HeaderMap,
    body: &[u8],
    home: &str,
) -> Result<(), &'static str> {
    let header = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    // Links and images must work, and carry little information; so defences check only methods that should change state.
    let is_safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    let passes = |it: bool, why: &'static str| if is_safe || it { Ok(()) } else { Err(why) };
    match defence {
        // Enforced by the browser, or by the product's own code.
        CsrfDefence::None | CsrfDefence::Lax | CsrfDefence::Strict | CsrfDefence::Keyturn => Ok(()),
        CsrfDefence::Origin => passes(
            header(ORIGIN.as_str()) == Some(home.as_bytes()),
            "Origin mismatch",
        ),
        CsrfDefence::CustomHeader => passes(
            header(REQUESTED_WITH) == Some(REQUESTED_WITH_KEYTURN.as_bytes()),
            "X-Requested-With is missing",
        ),
        CsrfDefence::FetchMetadata => {
            let a_link = *method == Method::GET
                && header("sec-fetch-mode") == Some(b"navigate")
                && header("sec-fetch-dest") == Some(b"document");
            match header("sec-fetch-site") {
                Some(b"same-origin" | b"none") => Ok(()),
                _ if a_link => Ok(()),
                Some(_) => Err("Sec-Fetch-Site is not same-origin"),
                None => Err("there is no Sec-Fetch-Site"),
            }
        }
        CsrfDefence::DoubleSubmit => passes(
            is_repeated(headers, DOUBLE_SUBMIT_COOKIE, body),
            "the body does not repeat the cookie",
        ),
        CsrfDefence::HostDoubleSubmit => passes(
            is_repeated(headers, HOST_DOUBLE_SUBMIT_COOKIE, body),
            "the body does not repeat the cookie",
        ),
    }
}

/// Whether the body contains the cookie's value, in any format. Of two cookies the first one counts; the product's own
/// parser would refuse both.
fn is_repeated(headers: &HeaderMap, name: &str, body: &[u8]) -> bool {
    in_request(headers, name).is_some_and(|value| {
        !value.is_empty() && body.windows(value.len()).any(|window| window == value.as_bytes())
    })
}

/// Signs the visitor in at all endpoints, at the product, and at the naive server with its plain session.
///
/// # Errors
/// If the product does not sign in its visitor.
pub async fn sign_in(lab: &Lab, run: &Run) -> Result<Response, ProductError> {
    let product = lab.sign_in_at_product(run).await?;
    let visitor = run.accounts.victim(Strategy::SessionCookie);
    let (id, secret) = (lab.new_id(), lab.new_id());
    run.with_state(|state| {
        // One session at a time, however often the visitor signs in.
        state.sessions.retain(|_, user| *user != visitor.email);
        state.sessions.insert(id.clone(), visitor.email);
    });
    let mut cookies = vec![
        format!("{SESSION_COOKIE}={id}; Path=/; HttpOnly"),
        format!("{UNRESTRICTED_COOKIE}={id}; Path=/; HttpOnly; Secure; SameSite=None"),
        format!("{LAX_COOKIE}={id}; Path=/; HttpOnly; Secure; SameSite=Lax"),
        format!("{STRICT_COOKIE}={id}; Path=/; HttpOnly; Secure; SameSite=Strict"),
        // A cookie that a sibling set in an earlier run would be sent first.
        format!(
            "{DOUBLE_SUBMIT_COOKIE}=; Domain={}; Path={TOSSED_PATH}; Max-Age=0; Secure; SameSite=None",
            lab.sites.victim.host()
        ),
        format!("{DOUBLE_SUBMIT_COOKIE}={secret}; Path=/; Secure; SameSite=None"),
        format!("{HOST_DOUBLE_SUBMIT_COOKIE}={secret}; Path=/; Secure; SameSite=None"),
    ];
    cookies.extend(product);
    Ok(with_cookies(StatusCode::NO_CONTENT.into_response(), &cookies))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: &str = "https://lab.example.com";

    fn passes(defence: CsrfDefence, method: &Method, headers: &[(&'static str, &str)], body: &str) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("a header"));
        }
        check(defence, method, &map, body.as_bytes(), HOME).is_ok()
    }

    #[test]
    fn each_defence_checks_one_thing() {
        let (origin, other) = (("origin", HOME), ("origin", "https://evil.example"));
        for (defence, headers, is_accepted) in [
            (CsrfDefence::None, &[][..], true),
            (CsrfDefence::Origin, &[origin], true),
            (CsrfDefence::Origin, &[other], false),
            (CsrfDefence::Origin, &[], false),
            (
                CsrfDefence::CustomHeader,
                &[("x-requested-with", "keyturn")],
                true,
            ),
            (CsrfDefence::CustomHeader, &[origin], false),
            (
                CsrfDefence::FetchMetadata,
                &[("sec-fetch-site", "same-origin")],
                true,
            ),
            (
                CsrfDefence::FetchMetadata,
                &[("sec-fetch-site", "same-site")],
                false,
            ),
            (CsrfDefence::FetchMetadata, &[], false),
        ] {
            let passes = passes(defence, &Method::POST, headers, "");
            assert_eq!(passes, is_accepted, "{}: {headers:?}", defence.slug());
        }
    }

    #[test]
    fn double_submit_requires_the_first_cookie() {
        for (defence, cookie, body, is_accepted) in [
            (
                CsrfDefence::DoubleSubmit,
                "lab_csrf=secret; lab_csrf=other",
                "csrf=secret&to=ada",
                true,
            ),
            (
                CsrfDefence::DoubleSubmit,
                "lab_csrf=secret; lab_csrf=other",
                "csrf=other",
                false,
            ),
            (
                CsrfDefence::HostDoubleSubmit,
                "lab_csrf=secret",
                "csrf=secret",
                false,
            ),
            (CsrfDefence::DoubleSubmit, "lab_csrf=", "", false),
        ] {
            let passes = passes(defence, &Method::POST, &[("cookie", cookie)], body);
            assert_eq!(passes, is_accepted, "{cookie}: {body}");
        }
    }

    #[test]
    fn fetch_metadata_refuses_images_but_not_links() {
        let image = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")];
        let link = [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        let frame = [link[0], link[1], ("sec-fetch-dest", "iframe")];
        for defence in CsrfDefence::ALL {
            assert!(passes(*defence, &Method::GET, &link, ""), "{}", defence.slug());
        }
        // A form is no link.
        for (method, headers) in [
            (Method::GET, &image[..]),
            (Method::GET, &frame),
            (Method::POST, &link),
        ] {
            assert!(
                !passes(CsrfDefence::FetchMetadata, &method, headers, ""),
                "{headers:?}"
            );
        }
    }
}
