//! The public origin: the only origin at which browsers reach the pages and the API.

use std::fmt;

use url::{Host, Url};

/// A scheme, a host and a port (RFC 6454): https, or http on a loopback name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    serialised: String,
    /// As in a `Host` header: with the port, unless it is the scheme's default.
    authority: String,
    https: bool,
    host: Host<String>,
    port: u16,
}

/// Why a text is not an origin at which browsers can reach this server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    #[error("is not a URL")]
    NotAUrl,
    #[error("must be an origin alone, such as https://keyturn.example: without path, query or user")]
    NotAnOrigin,
    #[error("must name one host: a wildcard or an empty label is no host that a browser could open")]
    NotAHost,
    #[error("must be https, or http on a loopback name (localhost, *.localhost, 127.0.0.1, [::1])")]
    Insecure,
}

impl Origin {
    /// # Errors
    /// If browsers would not treat the origin as a secure context, or the text is more than an origin.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let url = Url::parse(text).map_err(|_| OriginError::NotAUrl)?;
        let host = url.host().ok_or(OriginError::NotAnOrigin)?.to_owned();
        let port = url.port_or_known_default().ok_or(OriginError::NotAnOrigin)?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !bare || !url.username().is_empty() || url.password().is_some() {
            return Err(OriginError::NotAnOrigin);
        }
        if let Host::Domain(name) = &host
            && !is_host_name(name)
        {
            return Err(OriginError::NotAHost);
        }
        let https = match url.scheme() {
            "https" => true,
            "http" if is_loopback(&host) => false,
            _ => return Err(OriginError::Insecure),
        };
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_string(),
        };
        Ok(Self {
            serialised: url.origin().ascii_serialization(),
            authority,
            https,
            host,
            port,
        })
    }

    /// As in an `Origin` header.
    pub fn as_str(&self) -> &str {
        &self.serialised
    }

    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Whether a `Host` header names this origin. Case does not matter; the scheme's default port and the trailing dot
    /// of a fully qualified name are optional (RFC 9110 §4.2.3, RFC 3986 §3.2.2).
    pub fn is_named_by(&self, host: &str) -> bool {
        let (name, port) = split_port(host);
        let is_digits = port.bytes().all(|byte| byte.is_ascii_digit());
        let port = match port {
            "" => Some(if self.https { 443 } else { 80 }),
            digits if is_digits => digits.parse().ok(),
            _ => None,
        };
        let name = match self.host {
            Host::Domain(_) => name.strip_suffix('.').unwrap_or(name),
            _ => name,
        };
        port == Some(self.port) && name.eq_ignore_ascii_case(&self.host.to_string())
    }

    /// The same, but the name ends with a dot.
    pub fn is_named_with_dot_by(&self, host: &str) -> bool {
        split_port(host).0.ends_with('.') && self.is_named_by(host)
    }

    pub fn is_https(&self) -> bool {
        self.https
    }

    pub fn host(&self) -> &Host<String> {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.serialised)
    }
}

/// Splits an authority into host and port. An IPv6 address contains colons itself, within brackets.
fn split_port(authority: &str) -> (&str, &str) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, ""),
    }
}

/// Labels of letters, digits, hyphens and underscores. The URL parser, like browsers, also accepts `*` and others.
fn is_host_name(name: &str) -> bool {
    name.split('.').all(|label| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !label.is_empty() && label.bytes().all(plain)
    })
}

/// Whether browsers treat http on this host as a secure context (Secure Contexts §3.1).
pub(crate) fn is_loopback(host: &Host<String>) -> bool {
    match host {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_and_loopback_names_are_origins() {
        for (text, authority) in [
            ("https://keyturn.example", "keyturn.example"),
            ("https://keyturn.example:8443/", "keyturn.example:8443"),
            ("http://localhost:3000", "localhost:3000"),
            ("http://lab.localhost:3000", "lab.localhost:3000"),
            ("http://127.0.0.1", "127.0.0.1"),
            ("http://[::1]:3000", "[::1]:3000"),
        ] {
            let origin = Origin::parse(text).expect(text);
            assert_eq!(origin.authority(), authority);
            assert_eq!(origin.as_str(), text.trim_end_matches('/'));
        }
    }

    #[test]
    fn every_legal_spelling_of_the_host_is_the_same_host() {
        for (origin, same, others) in [
            (
                "https://keyturn.example",
                &[
                    "keyturn.example",
                    "KeyTurn.Example",
                    "keyturn.example:443",
                    "keyturn.example:",
                    "keyturn.example.",
                    "keyturn.example.:443",
                ][..],
                &[
                    "keyturn.example:80",
                    "keyturn.example:4430",
                    "keyturn.example..",
                    "keyturn.example:+443",
                    "keyturn.example:443:443",
                    "ada@keyturn.example",
                    "keyturn.example ",
                    ".keyturn.example",
                    "evil.example",
                    "",
                ][..],
            ),
            (
                "https://keyturn.example:8443",
                &["keyturn.example:8443", "keyturn.example.:8443"],
                &["keyturn.example", "keyturn.example:443", "keyturn.example:"],
            ),
            (
                "http://localhost",
                &["localhost", "localhost:80", "LOCALHOST."],
                &["localhost:443", "localhost:3000", "127.0.0.1"],
            ),
            (
                "http://[::1]:3000",
                &["[::1]:3000"],
                &["[::1]", "::1:3000", "[::1].:3000", "[::2]:3000"],
            ),
            ("http://[::1]", &["[::1]", "[::1]:80"], &["[::1]:3000"]),
            (
                "http://127.0.0.1:3000",
                &["127.0.0.1:3000"],
                &["127.0.0.1.:3000", "127.1:3000", "localhost:3000"],
            ),
        ] {
            let parsed = Origin::parse(origin).expect("an origin");
            for host in same {
                assert!(parsed.is_named_by(host), "{origin} is {host}");
            }
            for host in others {
                assert!(!parsed.is_named_by(host), "{origin} is not {host}");
            }
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "http://keyturn.example",
            "http://localhost.evil.example",
            "ftp://localhost",
            "http://10.0.0.1",
        ] {
            assert_eq!(Origin::parse(text), Err(OriginError::Insecure), "{text}");
        }
        for text in [
            "https://keyturn.example/app",
            "https://ada@keyturn.example",
            "https://keyturn.example?x",
        ] {
            assert_eq!(Origin::parse(text), Err(OriginError::NotAnOrigin), "{text}");
        }
        assert_eq!(Origin::parse("localhost"), Err(OriginError::NotAUrl));
        for text in [
            "https://*.keyturn.example",
            "https://*",
            "http://*.localhost:3000",
            "https://keyturn..example",
            "https://key$turn.example",
            "https://keyturn.example.",
        ] {
            assert_eq!(Origin::parse(text), Err(OriginError::NotAHost), "{text}");
        }
    }
}
