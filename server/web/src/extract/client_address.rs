//! The client's address: the peer of the connection, or the address that a trusted proxy reports.
//!
//! A middleware resolves it once per request, so that rate limits, the log and the list of sessions agree.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Mutex, PoisonError},
};

use axum::http::{HeaderMap, HeaderName, header::FORWARDED, request::Parts};

use crate::config::TrustedProxies;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Optional whitespace (RFC 9110 §5.6.3).
const BLANKS: [char; 2] = [' ', '\t'];
/// The maximum number of peers for which the log warns that forwarding headers are ignored.
const MAX_WARNINGS: usize = 8;

/// The other end of the connection. The listener adds it to every request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// The resolved address, in every request that came over the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// Peers whose forwarding headers were ignored and that have been logged, each once.
#[derive(Debug, Default)]
pub struct ProxyWarnings(Mutex<BTreeSet<IpAddr>>);

/// The client's address; `None` for requests made inside the process, which have no network.
pub fn client_ip(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get::<ClientAddress>().map(|address| address.0)
}

impl ProxyWarnings {
    pub fn warn_once(&self, peer: IpAddr, headers: &HeaderMap) {
        let Some(header) = [X_FORWARDED_FOR, FORWARDED]
            .into_iter()
            .find(|name| headers.contains_key(name))
        else {
            return;
        };
        let mut warned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Anyone can send the header; a few lines are enough for the operator.
        if warned.len() < MAX_WARNINGS && warned.insert(peer) {
            tracing::warn!(
                %peer,
                %header,
                "forwarding header ignored: peer not trusted; if it is your proxy, add it to http.trusted_proxies"
            );
        }
    }
}

/// Returns the peer, unless it is a trusted proxy; then the last forwarded address that is not a trusted proxy.
/// Everything to the left of that address was written by a client.
pub fn resolve(peer: IpAddr, headers: &HeaderMap, trusted: &TrustedProxies) -> IpAddr {
    if !trusted.contains(peer) {
        return peer;
    }
    let last_hop = |name: &HeaderName, address: fn(&[u8]) -> Option<IpAddr>| {
        headers.contains_key(name).then(|| {
            let mut nearest = peer;
            for element in elements_from_the_right(headers, name) {
                // An obfuscated identifier (RFC 7239 §6.3) or anything else that is not an address. What is to its left
                // cannot be attributed, so the proxy that wrote it is the closest known address.
                let Some(ip) = address(element) else { break };
                nearest = ip;
                if !trusted.contains(ip) {
                    break;
                }
            }
            nearest
        })
    };
    let x_forwarded_for = last_hop(&X_FORWARDED_FOR, node);
    let forwarded = last_hop(&FORWARDED, forwarded_node);
    match (x_forwarded_for, forwarded) {
        (Some(one), Some(other)) if one != other => {
            // Proxies write one of the two headers and pass the other through unchanged from the client. It is unknown
            // which one, so neither is trusted.
            tracing::debug!(%peer, "X-Forwarded-For and Forwarded disagree; both are ignored");
            peer
        }
        (Some(ip), _) | (None, Some(ip)) => ip,
        (None, None) => peer,
    }
}

/// The elements of a list header over all its lines, last first, without surrounding blanks. Empty elements are skipped
/// (RFC 9110 §5.6.1).
fn elements_from_the_right<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a [u8]> {
    let lines: Vec<_> = headers.get_all(name).into_iter().collect();
    lines
        .into_iter()
        .rev()
        .flat_map(|line| split_from_the_right(line.as_bytes(), b','))
        .map(<[u8]>::trim_ascii)
        .filter(|element| !element.is_empty())
        .collect()
}

/// The parts between separators outside of quotes, last first.
///
/// Splits from the right, because an unclosed quote from a client on the left must not swallow what a proxy appended.
fn split_from_the_right(bytes: &[u8], separator: u8) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let (mut end, mut quoted) = (bytes.len(), false);
    for at in (0..bytes.len()).rev() {
        match bytes[at] {
            b'"' if !(quoted && at > 0 && bytes[at - 1] == b'\\') => quoted = !quoted,
            byte if byte == separator && !quoted => {
                parts.push(&bytes[at + 1..end]);
                end = at;
            }
            _ => {}
        }
    }
    parts.push(&bytes[..end]);
    parts
}

/// The `for` parameter of one element of `Forwarded` (RFC 7239 §4); `None` if it is missing or repeated.
fn forwarded_node(element: &[u8]) -> Option<IpAddr> {
    let pairs = split_from_the_right(element, b';').into_iter();
    let mut nodes = pairs.filter_map(|pair| {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (pair[..equals].trim_ascii(), &pair[equals + 1..]);
        name.eq_ignore_ascii_case(b"for").then(|| node(value))
    });
    match (nodes.next(), nodes.next()) {
        (Some(node), None) => node,
        _ => None,
    }
}

/// Parses an address as proxies write it: bare or quoted, with or without brackets and a port. `None` for `unknown`,
/// for `_obfuscated` and for everything else.
fn node(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim_matches(BLANKS);
    let text = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(text)
        .trim_matches(BLANKS);
    if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        return (port.is_empty() || is_port(port))
            .then(|| address.parse::<Ipv6Addr>().ok())
            .flatten()
            .map(|ip| IpAddr::V6(ip).to_canonical());
    }
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some(ip.to_canonical());
    }
    let colon = text.find(':')?;
    let (address, port) = text.split_at(colon);
    is_port(port)
        .then(|| address.parse::<Ipv4Addr>().ok().map(IpAddr::V4))
        .flatten()
}

/// `:` and a port, or an obfuscated port (RFC 7239 §6).
fn is_port(text: &str) -> bool {
    let Some(port) = text.strip_prefix(':') else {
        return false;
    };
    let digits = (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
    let obfuscated = port.strip_prefix('_').is_some_and(|rest| {
        !rest.is_empty()
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    });
    digits || obfuscated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_common_spelling_of_a_node_is_understood() {
        for (text, ip) in [
            ("192.0.2.60", "192.0.2.60"),
            (" 192.0.2.60\t", "192.0.2.60"),
            ("192.0.2.60:4711", "192.0.2.60"),
            ("192.0.2.60:_port", "192.0.2.60"),
            ("\"192.0.2.60:4711\"", "192.0.2.60"),
            ("2001:db8::17", "2001:db8::17"),
            ("[2001:db8::17]", "2001:db8::17"),
            ("[2001:DB8::17]:4711", "2001:db8::17"),
            (" \"[2001:db8::17]:4711\" ", "2001:db8::17"),
            ("::ffff:192.0.2.60", "192.0.2.60"),
            ("[::ffff:192.0.2.60]:80", "192.0.2.60"),
        ] {
            assert_eq!(
                node(text.as_bytes()),
                Some(ip.parse().expect("an address")),
                "{text}"
            );
        }
    }

    #[test]
    fn invalid_nodes_are_none() {
        for text in [
            "",
            "\"",
            "unknown",
            "_hidden",
            "_SEVKISEK",
            "localhost",
            "192.0.2",
            "192.0.2.060",
            "192.0.2.60:",
            "192.0.2.60:123456",
            "192.0.2.60:http",
            "[192.0.2.60]",
            "[2001:db8::17",
            "[2001:db8::17]4711",
            "[2001:db8::17]:",
            "fe80::1%eth0",
            "2001:db8::17]",
            "1.2.3.4 5.6.7.8",
            "1.2.3.4;x",
            // Blanks that are none in a header (RFC 9110 §5.6.3).
            "192.0.2.60\u{a0}",
            "\u{2003}192.0.2.60",
            "\"\u{a0}192.0.2.60\"",
        ] {
            assert_eq!(node(text.as_bytes()), None, "{text}");
        }
        assert_eq!(node(b"\xff\xfe"), None);
    }

    #[test]
    fn the_for_parameter_must_be_unique() {
        let ip = |text: &str| forwarded_node(text.as_bytes()).map(|ip| ip.to_string());
        assert_eq!(
            ip("for=192.0.2.60;proto=https;by=203.0.113.43").as_deref(),
            Some("192.0.2.60")
        );
        assert_eq!(
            ip("proto=https; For = \"[2001:db8::17]:4711\"").as_deref(),
            Some("2001:db8::17")
        );
        assert_eq!(ip("proto=https"), None);
        assert_eq!(ip("for=192.0.2.60;for=192.0.2.61"), None);
        assert_eq!(ip("192.0.2.60"), None);
    }

    #[test]
    fn a_quoted_value_holds_no_parameters() {
        let ip = |text: &str| forwarded_node(text.as_bytes()).map(|ip| ip.to_string());
        // The client chooses the host, and a reg-name may hold `;` and `=` (RFC 3986 §3.2.2).
        let host = r#"host="a;for=192.0.2.61;\";for=192.0.2.61""#;
        let nearest = Some("192.0.2.60".to_owned());
        assert_eq!(ip(&format!("for=192.0.2.60;{host}")), nearest);
        assert_eq!(ip(&format!("{host};for=\"192.0.2.60:80\";proto=https")), nearest);
        assert_eq!(ip(&format!("{host};proto=https")), None);
    }
}
