//! CSRF defences: a bank with one defence at each endpoint, as targets of forged requests.
//!
//! Every endpoint does the same for any signed-in visitor, and accepts any method and any content, as careless servers
//! do. Only the defence in front differs, and there is only one, so that its column shows its effect alone. The session
//! cookie is `SameSite=None`, except for the two defences that are that attribute.

use std::sync::Arc;

use api_types::{
    header::{REQUESTED_WITH, REQUESTED_WITH_KEYTURN},
    paths,
};
use axum::{
    Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{COOKIE, ORIGIN},
    },
    response::{IntoResponse, Response},
    routing::any,
};
use lab_types::{Bench, Guard, Place, Strategy};
use serde_json::{Value, json};
use web::extract::Json;

use super::{Lab, recorder::Of, runs::Run, tutorial, victim};

/// The session's cookies, by their `SameSite` attribute.
const UNRESTRICTED: &str = "lab_none";
const LAX: &str = "lab_lax";
const STRICT: &str = "lab_strict";
/// The cookies whose value must also be in the body.
pub const DOUBLE: &str = "lab_csrf";
const HOST_DOUBLE: &str = "__Host-lab_csrf";

/// The path on which a sibling sets its own cookie: longer than the genuine one, so that it is sent first.
pub const TOSSED_PATH: &str = "/guarded";

/// Another site's page cannot read the secret, so it makes one up.
pub const MADE_UP: &str = "made-up-by-mallory";

/// The endpoint that a guard protects.
pub fn door(guard: Guard) -> String {
    match guard {
        // Our only endpoint that is authenticated by a cookie alone.
        Guard::Keyturn => paths::REFRESH.into(),
        _ => format!("/guarded/{}/transfer", guard.slug()),
    }
}

/// The control requests that the visitor's own page makes before the attacks.
pub fn knocks(bench: Bench) -> Vec<Value> {
    let places = if bench == Bench::Forgery {
        bench.rows().concat()
    } else {
        Vec::new()
    };
    let knocks = places.into_iter().filter_map(|place| match place {
        Place::Forgery { guard, .. } => Some(json!({ "cell": place.to_string(), "door": door(guard) })),
        _ => None,
    });
    knocks.collect()
}

/// The endpoints.
pub fn router() -> Router<Arc<Lab>> {
    Router::new().route("/guarded/{guard}/transfer", any(transfer))
}

async fn transfer(
    State(lab): State<Arc<Lab>>,
    Path(guard): Path<Guard>,
    Query(of): Query<Of>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let refused = |status: StatusCode, why: &str| (status, Json(json!({ "error": why }))).into_response();
    let Some(run) = of.run(&lab) else {
        return refused(StatusCode::NOT_FOUND, "there is no such run");
    };
    if let Err(why) = check(guard, &method, &headers, &body, lab.sites.victim.as_str()) {
        return refused(StatusCode::FORBIDDEN, why);
    }
    let user = first_cookie(&headers, session_cookie(guard))
        .and_then(|id| run.tables(|tables| tables.sessions.get(id).cloned()));
    match user {
        Some(user) => Json(json!({ "transferred": 100, "from": user })).into_response(),
        None => refused(StatusCode::UNAUTHORIZED, "not signed in"),
    }
}

/// The session cookie of an endpoint.
pub fn session_cookie(guard: Guard) -> &'static str {
    match guard {
        Guard::Lax => LAX,
        Guard::Strict => STRICT,
        Guard::Keyturn => super::PRODUCT_COOKIE,
        _ => UNRESTRICTED,
    }
}

/// Checks whether a guard accepts a request, and returns the reason if not.
fn check(
    guard: Guard,
    method: &Method,
    headers: &HeaderMap,
    body: &[u8],
    home: &str,
) -> Result<(), &'static str> {
    let header = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    // Links and images must work, and carry little information; so guards check only methods that should change state.
    let is_safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    let passes = |it: bool, why: &'static str| if is_safe || it { Ok(()) } else { Err(why) };
    match guard {
        // Enforced by the browser, or by the product's own code.
        Guard::None | Guard::Lax | Guard::Strict | Guard::Keyturn => Ok(()),
        Guard::Origin => passes(
            header(ORIGIN.as_str()) == Some(home.as_bytes()),
            "Origin mismatch",
        ),
        Guard::CustomHeader => passes(
            header(REQUESTED_WITH) == Some(REQUESTED_WITH_KEYTURN.as_bytes()),
            "X-Requested-With is missing",
        ),
        Guard::FetchMetadata => {
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
        Guard::DoubleSubmit => passes(
            is_repeated(headers, DOUBLE, body),
            "the body does not repeat the cookie",
        ),
        Guard::HostDoubleSubmit => passes(
            is_repeated(headers, HOST_DOUBLE, body),
            "the body does not repeat the cookie",
        ),
    }
}

/// Whether the body contains the cookie's value, in any format.
fn is_repeated(headers: &HeaderMap, name: &str, body: &[u8]) -> bool {
    first_cookie(headers, name).is_some_and(|value| {
        !value.is_empty() && body.windows(value.len()).any(|window| window == value.as_bytes())
    })
}

/// The first cookie of a name, as nearly every server reads it. If there are two, another host set the other one; the
/// product's own parser then refuses ([`web::cookies`]).
fn first_cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .into_iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split("; "))
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// Signs the visitor in at all endpoints, at the product, and at the tutorial's server with its plain session.
///
/// # Errors
/// If the product does not sign in its visitor.
pub async fn sign_in(lab: &Lab, run: &Run) -> Result<Response, String> {
    let product = victim::log_in(lab, run).await?;
    let visitor = run.people.victim(Strategy::SessionCookie);
    let (id, secret) = (lab.tutorial.id(), lab.tutorial.id());
    run.tables(|tables| {
        // One session at a time, however often the visitor signs in.
        tables.sessions.retain(|_, user| *user != visitor.email);
        tables.sessions.insert(id.clone(), visitor.email);
    });
    let mut cookies = vec![
        format!("{}={id}; Path=/; HttpOnly", tutorial::SESSION_COOKIE),
        format!("{UNRESTRICTED}={id}; Path=/; HttpOnly; Secure; SameSite=None"),
        format!("{LAX}={id}; Path=/; HttpOnly; Secure; SameSite=Lax"),
        format!("{STRICT}={id}; Path=/; HttpOnly; Secure; SameSite=Strict"),
        // A cookie that a sibling set in an earlier run would be sent first.
        format!(
            "{DOUBLE}=; Domain={}; Path={TOSSED_PATH}; Max-Age=0; Secure; SameSite=None",
            lab.sites.victim.host()
        ),
        format!("{DOUBLE}={secret}; Path=/; Secure; SameSite=None"),
        format!("{HOST_DOUBLE}={secret}; Path=/; Secure; SameSite=None"),
    ];
    cookies.extend(product);
    Ok(tutorial::with_cookies(
        StatusCode::NO_CONTENT.into_response(),
        &cookies,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: &str = "https://lab.example.com";

    fn passes(guard: Guard, method: &Method, headers: &[(&'static str, &'static str)], body: &str) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        check(guard, method, &map, body.as_bytes(), HOME).is_ok()
    }

    #[test]
    fn each_guard_looks_at_one_thing() {
        let post = |guard, headers: &[_], body| passes(guard, &Method::POST, headers, body);
        assert!(post(Guard::None, &[], ""));
        assert!(post(Guard::Origin, &[("origin", HOME)], ""));
        assert!(!post(Guard::Origin, &[("origin", "https://evil.example")], ""));
        assert!(!post(Guard::Origin, &[], ""));
        assert!(post(Guard::CustomHeader, &[("x-requested-with", "keyturn")], ""));
        assert!(!post(Guard::CustomHeader, &[("origin", HOME)], ""));
        assert!(post(
            Guard::FetchMetadata,
            &[("sec-fetch-site", "same-origin")],
            ""
        ));
        assert!(!post(
            Guard::FetchMetadata,
            &[("sec-fetch-site", "same-site")],
            ""
        ));
        assert!(!post(Guard::FetchMetadata, &[], ""));
    }

    #[test]
    fn what_is_submitted_twice_has_to_be_the_cookie_that_came() {
        let cookie = [("cookie", "a=b; lab_csrf=secret; lab_csrf=other")];
        assert!(passes(
            Guard::DoubleSubmit,
            &Method::POST,
            &cookie,
            "csrf=secret&to=ada"
        ));
        assert!(
            !passes(Guard::DoubleSubmit, &Method::POST, &cookie, "csrf=other"),
            "the first one counts"
        );
        assert!(!passes(
            Guard::HostDoubleSubmit,
            &Method::POST,
            &cookie,
            "csrf=secret"
        ));
        let empty = [("cookie", "lab_csrf=")];
        assert!(!passes(Guard::DoubleSubmit, &Method::POST, &empty, ""));
    }

    #[test]
    fn links_pass_everywhere_and_images_not_by_fetch_metadata() {
        let image = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")];
        let link = [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        let frame = [link[0], link[1], ("sec-fetch-dest", "iframe")];
        for guard in Guard::ALL {
            assert!(passes(*guard, &Method::GET, &link, ""), "{}", guard.slug());
        }
        assert!(!passes(Guard::FetchMetadata, &Method::GET, &image, ""));
        assert!(!passes(Guard::FetchMetadata, &Method::GET, &frame, ""));
        assert!(
            !passes(Guard::FetchMetadata, &Method::POST, &link, ""),
            "a form is no link"
        );
    }
}
