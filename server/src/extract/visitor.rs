//! Who is asking, as far as it can be known.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header::USER_AGENT, request::Parts},
};
use ipnet::IpNet;
use store::Visitor;

use crate::state::AppState;

/// The longest part of a `User-Agent` that is kept.
const MAX_USER_AGENT: usize = 256;

/// The other end of the connection; the listener puts it into every request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// The visitor's address and browser.
#[derive(Debug, Clone)]
pub struct VisitorOf(pub Visitor);

impl FromRequestParts<AppState> for VisitorOf {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        let ip = client_ip(parts, &state.config.http.trusted_proxies).map(|ip| ip.to_string());
        let user_agent = parts
            .headers
            .get(USER_AGENT)
            .and_then(|value| value.to_str().ok());
        let user_agent = user_agent.map(|text| text.chars().take(MAX_USER_AGENT).collect());
        Ok(Self(Visitor { user_agent, ip }))
    }
}

/// The client's address: the peer, unless the peer is a trusted proxy; then the last address in `X-Forwarded-For`
/// that is not one. Everything to the left of that was written by somebody we do not know.
pub fn client_ip(parts: &Parts, trusted: &[IpNet]) -> Option<IpAddr> {
    let peer = parts.extensions.get::<Peer>()?.0.ip().to_canonical();
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
    if !is_trusted(&peer) {
        return Some(peer);
    }
    let mut nearest = peer;
    for ip in forwarded_for(&parts.headers) {
        let Some(ip) = ip else { break };
        nearest = ip;
        if !is_trusted(&ip) {
            break;
        }
    }
    Some(nearest)
}

/// The addresses of `X-Forwarded-For`, nearest first; `None` where one cannot be read. Piece by piece, so that what a
/// client wrote to the left cannot hide what a proxy wrote to the right.
fn forwarded_for(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let mut pieces: Vec<_> = headers
        .get_all("x-forwarded-for")
        .into_iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(|piece| {
            std::str::from_utf8(piece)
                .ok()
                .and_then(|text| address(text.trim()))
        })
        .collect();
    pieces.reverse();
    pieces.into_iter()
}

/// An address, with a port as some proxies write it or without.
fn address(text: &str) -> Option<IpAddr> {
    let ip = text.parse::<IpAddr>().ok();
    ip.or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
        .map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn ip(peer: &str, forwarded: Option<&str>, trusted: &[&str]) -> Option<String> {
        let mut request = Request::builder();
        if let Some(forwarded) = forwarded {
            request = request.header("x-forwarded-for", forwarded);
        }
        let (mut parts, ()) = request.body(()).expect("a request").into_parts();
        parts.extensions.insert(Peer(peer.parse().expect("an address")));
        let trusted: Vec<IpNet> = trusted
            .iter()
            .map(|net| net.parse().expect("a network"))
            .collect();
        client_ip(&parts, &trusted).map(|ip| ip.to_string())
    }

    #[test]
    fn nobody_is_believed_by_default() {
        assert_eq!(
            ip("203.0.113.9:1", Some("1.2.3.4"), &[]).as_deref(),
            Some("203.0.113.9")
        );
    }

    #[test]
    fn behind_a_trusted_proxy_the_last_unknown_address_counts() {
        let trusted = &["10.0.0.0/8"];
        assert_eq!(
            ip("10.0.0.1:1", Some("1.2.3.4"), trusted).as_deref(),
            Some("1.2.3.4")
        );
        assert_eq!(
            ip("10.0.0.1:1", Some("6.6.6.6, 1.2.3.4, 10.0.0.2"), trusted).as_deref(),
            Some("1.2.3.4")
        );
        assert_eq!(ip("10.0.0.1:1", None, trusted).as_deref(), Some("10.0.0.1"));
        assert_eq!(
            ip("10.0.0.1:1", Some("junk"), trusted).as_deref(),
            Some("10.0.0.1")
        );
        assert_eq!(
            ip("203.0.113.9:1", Some("1.2.3.4"), trusted).as_deref(),
            Some("203.0.113.9")
        );
    }
}
