//! Security headers for every response: pages, API, files and errors.

use api_types::paths::{self, CSP_REPORT};
use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
            X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
        },
    },
    middleware::Next,
    response::Response,
};

use crate::{config::ClearSiteData, state::AppState};

/// The policy of everything that is not a page: it loads nothing and cannot be framed.
const CLOSED: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox";

/// Adds the headers that are not set yet. A page sets its own Content-Security-Policy with a nonce.
pub async fn add_security_headers(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let signs_out = is_sign_out(request.method(), request.uri().path());
    let mut response = next.run(request).await;
    let is_done = response.status() == StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    add_common_headers(headers);
    if signs_out
        && is_done
        && let Some(kinds) = clear_site_data(&state.config.http.clear_site_data)
    {
        headers.insert(HeaderName::from_static("clear-site-data"), kinds);
    }
    if state.config.origin.is_https() {
        let policy = hsts(state.config.http.hsts_include_subdomains);
        headers.entry(STRICT_TRANSPORT_SECURITY).or_insert(policy);
    }
    response
}

fn is_sign_out(method: &Method, path: &str) -> bool {
    match path {
        paths::LOGOUT | paths::LOGOUT_ALL => method == Method::POST,
        paths::ACCOUNT => method == Method::DELETE,
        _ => false,
    }
}

fn clear_site_data(kinds: &[ClearSiteData]) -> Option<HeaderValue> {
    let kinds: Vec<_> = kinds
        .iter()
        .map(|kind| match kind {
            ClearSiteData::Cache => r#""cache""#,
            ClearSiteData::Cookies => r#""cookies""#,
            ClearSiteData::Storage => r#""storage""#,
        })
        .collect();
    (!kinds.is_empty()).then(|| HeaderValue::from_str(&kinds.join(", ")).ok())?
}

/// A year, as ASVS 5.0 requires (3.4.1). Subdomains only if the operator asks for them: they may belong to others or
/// use http, and a browser applies the policy for the whole year.
fn hsts(include_subdomains: bool) -> HeaderValue {
    HeaderValue::from_static(if include_subdomains {
        "max-age=31536000; includeSubDomains"
    } else {
        "max-age=31536000"
    })
}

/// Adds the headers of every response that do not depend on the configuration.
pub fn add_common_headers(headers: &mut HeaderMap) {
    let mut add = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    add(CONTENT_SECURITY_POLICY, CLOSED);
    add(X_CONTENT_TYPE_OPTIONS, "nosniff");
    add(X_FRAME_OPTIONS, "DENY");
    add(REFERRER_POLICY, "same-origin");
    add(
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    add(
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    add(
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    );
    // A handler that wants its response cached sets this header itself.
    add(CACHE_CONTROL, "no-store");
}

/// The name of the endpoint in [`reporting_endpoints`].
const REPORT_GROUP: &str = "csp";

/// The value of `Reporting-Endpoints`, to which `report-to` of [`report_directives`] refers.
pub fn reporting_endpoints() -> (HeaderName, String) {
    let name = HeaderName::from_static("reporting-endpoints");
    (name, format!("{REPORT_GROUP}=\"{CSP_REPORT}\""))
}

/// The directives that make browsers report what they block: `report-to` over https, and `report-uri` for older
/// browsers. With both, Chromium sends no reports for a page over http, so loopback uses `report-uri` alone.
pub fn report_directives(is_https: bool) -> String {
    if is_https {
        format!("; report-uri {CSP_REPORT}; report-to {REPORT_GROUP}")
    } else {
        format!("; report-uri {CSP_REPORT}")
    }
}

/// The policy of a page: our own files, our own scripts with a nonce, and WebAssembly. Everything else is blocked.
pub fn page_policy(nonce: &str) -> String {
    // `cargo leptos watch` reloads the page over a separate socket; a release build has none.
    let connect = if cfg!(debug_assertions) {
        "'self' ws://127.0.0.1:3001 ws://localhost:3001"
    } else {
        "'self'"
    };
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
         font-src 'self'; manifest-src 'self'; connect-src {connect}; form-action 'self'; base-uri 'none'; \
         object-src 'none'; frame-ancestors 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_allows_neither_inline_scripts_nor_eval() {
        let policy = page_policy("abc");
        assert!(policy.contains("'nonce-abc'"));
        assert!(policy.contains("'wasm-unsafe-eval'"));
        assert!(!policy.contains("'unsafe-inline'"));
        assert!(!policy.contains(" 'unsafe-eval'"));
        assert!(!policy.contains('*'));
    }
}
