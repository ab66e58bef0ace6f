//! The one host that this server answers for (RFC 9110 §7.2, §15.5.20).
//!
//! A page that was opened under another loopback name moves to the public origin, so that `127.0.0.1` and `localhost`
//! do not end up with a session each. Everything else under a foreign name is refused: the host is part of what
//! cookies, tokens and the cross-site guard rest on.

use api_types::{paths, problem::ProblemCode};
use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, Method, Uri,
        header::{HOST, LOCATION},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{StatusCode, uri::Authority};
use url::Host;

use crate::{config::Origin, error::ApiError, state::AppState};

/// Refuses or redirects what is meant for another host. Health probes may use any name: they ask the machine.
pub async fn check_host(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let origin = &state.config.origin;
    let path = request.uri().path();
    if path == paths::HEALTH_LIVE || path == paths::HEALTH_READY {
        return next.run(request).await;
    }
    match host_of(request.headers(), request.uri()) {
        Some(host) if host.eq_ignore_ascii_case(origin.authority()) => next.run(request).await,
        Some(host) if is_page_request(request.method(), path) && moves(&host, origin) => {
            let target = request.uri().path_and_query().map_or("/", |path| path.as_str());
            let location = format!("{origin}{target}");
            (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, location)]).into_response()
        }
        _ => ApiError::new(
            ProblemCode::MisdirectedRequest,
            "This server answers under its public origin only. Check the address.",
        )
        .into_response(),
    }
}

/// The one `Host` header, or the authority of an absolute request target, which then must agree (RFC 9112 §3.2.2).
pub(crate) fn host_of(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let mut hosts = headers.get_all(HOST).into_iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok()?.to_owned(),
        _ => return None,
    };
    match uri.authority() {
        Some(authority) if !authority.as_str().eq_ignore_ascii_case(&host) => None,
        _ => Some(host),
    }
}

fn is_page_request(method: &Method, path: &str) -> bool {
    (method == Method::GET || method == Method::HEAD)
        && !path.starts_with("/api/")
        && !path.starts_with("/.well-known/")
}

/// Whether a host is another loopback name for the same port.
fn moves(host: &str, origin: &Origin) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let Ok(parsed) = Host::parse(authority.host()) else {
        return false;
    };
    !origin.is_https()
        && crate::config::is_loopback(&parsed)
        && authority.port_u16().unwrap_or(80) == origin.port()
        && !authority.as_str().contains('@')
}
