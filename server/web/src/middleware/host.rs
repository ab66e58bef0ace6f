//! Checks that a request is for this server's host (RFC 9110 §7.2, §15.5.20).
//!
//! A page opened under another loopback name redirects to the public origin, so that `127.0.0.1` and `localhost` do not
//! get separate sessions. Every other request with a foreign host is refused: cookies, tokens and the cross-site guard
//! depend on the host.

use std::fmt;

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

/// Refuses or redirects requests for another host. Health probes may use any name: they ask about the machine.
pub async fn check_host(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let origin = &state.config.origin;
    let path = request.uri().path();
    if path == paths::HEALTH_LIVE || path == paths::HEALTH_READY {
        return next.run(request).await;
    }
    let is_ours = is_for(request.headers(), request.uri(), origin);
    // With a trailing dot the name is ours, but browsers treat it as another origin: the cross-site guard would refuse
    // the page's requests. So pages redirect to the public origin, while other clients may use either name.
    let other_name = only_host(request.headers(), request.uri()).is_some_and(|host| {
        origin.is_named_with_dot_by(host) || (!is_ours && is_other_loopback_name(host, origin))
    });
    if other_name && is_page_request(request.method(), path) {
        let target = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let location = format!("{origin}{target}");
        return (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, location)]).into_response();
    }
    if is_ours {
        return next.run(request).await;
    }
    ApiError::new(
        ProblemCode::MisdirectedRequest,
        "This server answers only under its public address, and the request names another host. Open the site under \
         its public address. Operators: the server's log names both hosts; a proxy must pass the Host header on.",
    )
    .with_cause(Misdirected::new(request.headers(), request.uri(), origin))
    .into_response()
}

/// Whether a request names this origin: in its single `Host` header, and in the authority of an absolute request target
/// if it has one (RFC 9112 §3.2.2).
pub fn is_for(headers: &HeaderMap, uri: &Uri, origin: &Origin) -> bool {
    let mut hosts = headers.get_all(HOST).into_iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let is_ours = |host: &str| origin.is_named_by(host);
    host.to_str().is_ok_and(is_ours)
        && uri
            .authority()
            .is_none_or(|authority| is_ours(authority.as_str()))
}

/// The host that a request names, if it names exactly one.
pub(crate) fn only_host<'a>(headers: &'a HeaderMap, uri: &Uri) -> Option<&'a str> {
    let mut hosts = headers.get_all(HOST).into_iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return None;
    };
    let host = host.to_str().ok()?;
    let agrees = uri
        .authority()
        .is_none_or(|authority| authority.as_str().eq_ignore_ascii_case(host));
    agrees.then_some(host)
}

/// For the log: the hosts that a request names, and the expected one. The received text is escaped and truncated,
/// because a stranger wrote it.
#[derive(Debug)]
pub(crate) struct Misdirected {
    received: String,
    expected: String,
}

/// The maximum length of a received host in the log.
const MAX_LOGGED_HOST: usize = 100;
const MAX_LOGGED_HOSTS: usize = 3;

impl Misdirected {
    pub(crate) fn new(headers: &HeaderMap, uri: &Uri, origin: &Origin) -> Self {
        let quoted = |bytes: &[u8]| {
            let cut = &bytes[..bytes.len().min(MAX_LOGGED_HOST)];
            let more = if cut.len() < bytes.len() { "…" } else { "" };
            format!("\"{}{more}\"", cut.escape_ascii())
        };
        let mut received: Vec<_> = headers
            .get_all(HOST)
            .into_iter()
            .take(MAX_LOGGED_HOSTS)
            .map(|host| quoted(host.as_bytes()))
            .collect();
        if received.is_empty() {
            received.push("none".to_owned());
        }
        if let Some(authority) = uri.authority() {
            received.push(format!(
                "request target {}",
                quoted(authority.as_str().as_bytes())
            ));
        }
        Self {
            received: received.join(", "),
            expected: origin.authority().to_owned(),
        }
    }
}

impl fmt::Display for Misdirected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { received, expected } = self;
        write!(f, "Host is {received}; http.public_origin expects \"{expected}\"")
    }
}

fn is_page_request(method: &Method, path: &str) -> bool {
    (method == Method::GET || method == Method::HEAD)
        && !path.starts_with("/api/")
        && !path.starts_with("/.well-known/")
}

/// Whether a host is another loopback name for the same port.
fn is_other_loopback_name(host: &str, origin: &Origin) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderValue, Request};

    fn misdirected(hosts: &[&[u8]], target: &str) -> String {
        let (mut parts, ()) = Request::get(target).body(()).expect("a request").into_parts();
        for host in hosts {
            parts
                .headers
                .append(HOST, HeaderValue::from_bytes(host).expect("a header value"));
        }
        let origin = Origin::parse("https://keyturn.example").expect("an origin");
        assert!(!is_for(&parts.headers, &parts.uri, &origin));
        Misdirected::new(&parts.headers, &parts.uri, &origin).to_string()
    }

    #[test]
    fn the_log_names_the_received_and_the_expected_host() {
        assert_eq!(
            misdirected(&[b"10.0.0.7:3000"], "/"),
            r#"Host is "10.0.0.7:3000"; http.public_origin expects "keyturn.example""#
        );
        assert_eq!(
            misdirected(&[b"keyturn.example"], "http://evil.example/"),
            r#"Host is "keyturn.example", request target "evil.example"; http.public_origin expects "keyturn.example""#
        );
        assert_eq!(
            misdirected(&[], "/"),
            r#"Host is none; http.public_origin expects "keyturn.example""#
        );
        assert_eq!(
            misdirected(&[b"keyturn.example", b"keyturn.example"], "/"),
            r#"Host is "keyturn.example", "keyturn.example"; http.public_origin expects "keyturn.example""#
        );
    }

    #[test]
    fn a_foreign_host_cannot_forge_or_flood_the_log() {
        let logged = misdirected(&[b"\"x\xff\t"], "/");
        assert!(logged.contains(r#"\"x\xff\t"#), "{logged}");
        assert!(
            logged.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '),
            "{logged}"
        );
        let long = vec![b'a'; 10_000];
        assert!(misdirected(&[&long, &long, &long, &long], "/").len() < 500);
    }
}
