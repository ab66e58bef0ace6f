//! The cross-site guard: refuses state-changing requests from other sites.
//!
//! Runs before bodies are read, the database is queried or passwords are hashed. `SameSite=Strict` already withholds
//! the cookie from requests of other sites; this guard does not depend on that. It also covers sign-in and
//! registration, where there is no cookie yet (login CSRF), and sibling subdomains, which are the same site.

use api_types::{
    header::{REQUESTED_WITH, REQUESTED_WITH_KEYTURN},
    problem::ProblemCode,
};
use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, Method,
        header::{COOKIE, ORIGIN},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{config::Origin, error::ApiError, security_log::SecurityEvent, state::AppState};

/// Refuses unsafe methods from other origins.
pub async fn guard_cross_site(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if is_safe(request.method()) {
        return next.run(request).await;
    }
    match check_origin(request.headers(), &state.config.origin) {
        Ok(()) => next.run(request).await,
        Err(cause) => refuse(&state, cause).into_response(),
    }
}

/// Requires a custom header on the endpoints that the cookie authenticates. No form can send it, and a preflight would
/// have to allow it first (OWASP CSRF Prevention Cheat Sheet, custom request headers).
pub async fn require_custom_header(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let value = request
        .headers()
        .get(REQUESTED_WITH)
        .map(axum::http::HeaderValue::as_bytes);
    if value == Some(REQUESTED_WITH_KEYTURN.as_bytes()) {
        next.run(request).await
    } else {
        refuse(&state, "X-Requested-With is missing").into_response()
    }
}

/// Methods without effects (RFC 9110 §9.2.1).
fn is_safe(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE
    )
}

fn check_origin(headers: &HeaderMap, origin: &Origin) -> Result<(), &'static str> {
    let fetch_site = HeaderName::from_static("sec-fetch-site");
    let site = single(headers, &fetch_site)?;
    let from = single(headers, &ORIGIN)?;
    if site.is_some_and(|site| site != b"same-origin") {
        return Err("Sec-Fetch-Site is not same-origin");
    }
    if from.is_some_and(|from| from != origin.as_str().as_bytes()) {
        return Err("Origin is another");
    }
    // A browser always says where a request comes from. A client without cookies cannot be used for CSRF.
    if site.is_none() && from.is_none() && headers.contains_key(COOKIE) {
        return Err("there are cookies, but neither Origin nor Sec-Fetch-Site");
    }
    Ok(())
}

fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a [u8]>, &'static str> {
    let mut values = headers.get_all(name).into_iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value.map(axum::http::HeaderValue::as_bytes)),
        _ => Err("a header that says where the request comes from is doubled"),
    }
}

fn refuse(state: &AppState, cause: &'static str) -> ApiError {
    state
        .security_log
        .report(SecurityEvent::CrossSiteRefused { cause });
    ApiError::new(
        ProblemCode::CrossSiteRequest,
        "This request does not come from our own pages. Open the site itself and try there.",
    )
    .with_cause(cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    const OURS: &str = "https://app.example.com";

    fn allowed(headers: &[(&'static str, &'static str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        check_origin(&map, &Origin::parse(OURS).expect("an origin")).is_ok()
    }

    #[test]
    fn own_pages_and_cookieless_clients_pass() {
        assert!(allowed(&[
            ("sec-fetch-site", "same-origin"),
            ("origin", OURS),
            ("cookie", "a=b")
        ]));
        assert!(allowed(&[("origin", OURS), ("cookie", "a=b")]));
        assert!(allowed(&[("sec-fetch-site", "same-origin"), ("cookie", "a=b")]));
        assert!(allowed(&[]));
    }

    #[test]
    fn other_origins_are_refused() {
        for site in ["same-site", "cross-site", "none", "", "SAME-ORIGIN"] {
            assert!(!allowed(&[("sec-fetch-site", site), ("origin", OURS)]), "{site}");
        }
        for origin in [
            "null",
            "",
            "http://app.example.com",
            "https://app.example.com:444",
            "https://app.example.com.",
            "https://app.example.com/",
            "https://APP.example.com",
            "https://app.example.com.evil.example",
            "https://evil-app.example.com",
            "https://ada@app.example.com",
            "chrome-extension://abcdef",
        ] {
            assert!(!allowed(&[("origin", origin)]), "{origin}");
        }
        assert!(!allowed(&[("cookie", "a=b")]));
        assert!(!allowed(&[
            ("cookie", "a=b"),
            ("referer", "https://app.example.com/")
        ]));
        assert!(!allowed(&[("origin", OURS), ("origin", OURS)]));
    }
}
