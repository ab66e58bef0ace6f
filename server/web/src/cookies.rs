//! The refresh cookie: parsed from the header's bytes, set and cleared by one builder.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header::COOKIE};
use rotation::SignedToken;

/// The refresh cookie's name and attributes.
#[derive(Debug, Clone)]
pub struct RefreshCookie {
    name: String,
}

/// What a request contains under the cookie's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CookieLookup {
    Missing,
    Token(SignedToken),
    /// Two cookies of this exact name. A browser stores only one, so another host set the other one.
    Ambiguous,
}

/// How long the browser keeps the cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CookieLifetime {
    /// For this long, across restarts.
    Persistent(Duration),
    /// Until the browser is closed.
    Session,
}

impl RefreshCookie {
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }

    /// Looks up the cookie in a request.
    pub fn read(&self, headers: &HeaderMap) -> CookieLookup {
        read(headers, &self.name)
    }

    /// The `Set-Cookie` value that gives the browser this token.
    pub fn set(&self, token: &SignedToken, lifetime: CookieLifetime) -> HeaderValue {
        let max_age = match lifetime {
            CookieLifetime::Persistent(duration) => Some(duration.as_secs()),
            CookieLifetime::Session => None,
        };
        self.build(token.expose(), max_age)
    }

    /// The `Set-Cookie` value that deletes the token from the browser.
    pub fn clear(&self) -> HeaderValue {
        self.build("", Some(0))
    }

    fn build(&self, value: &str, max_age: Option<u64>) -> HeaderValue {
        build(&self.name, value, max_age)
    }
}

/// Looks up a cookie in the header's bytes.
///
/// Parsed by hand, because libraries decode names (`%5F%5FHost-…` from a sibling domain would pass as ours), silently
/// choose one of two cookies, or drop a header in which another cookie contains a non-ASCII byte.
pub(crate) fn read(headers: &HeaderMap, name: &str) -> CookieLookup {
    let pairs = headers
        .get_all(COOKIE)
        .into_iter()
        .flat_map(|header| header.as_bytes().split(|byte| *byte == b';'));
    let mut values = pairs.filter_map(|pair| {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        // A browser writes `; ` before a name and nothing after it: everything else is part of the name.
        let found = pair[..equals].strip_prefix(b" ").unwrap_or(&pair[..equals]);
        (found == name.as_bytes()).then(|| trim(&pair[equals + 1..]))
    });
    match (values.next(), values.next()) {
        (None, _) => CookieLookup::Missing,
        (Some(_), Some(_)) => CookieLookup::Ambiguous,
        // A value that is not UTF-8 cannot be one of our tokens; it is treated as an empty token, which is refused.
        (Some(value), None) => CookieLookup::Token(SignedToken::new(
            std::str::from_utf8(value).unwrap_or_default().to_owned(),
        )),
    }
}

/// A `Set-Cookie` value. The attributes are always the same, or a browser would treat the cookies as different ones.
pub(crate) fn build(name: &str, value: &str, max_age: Option<u64>) -> HeaderValue {
    let mut text = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict");
    if let Some(seconds) = max_age {
        text.push_str("; Max-Age=");
        text.push_str(&seconds.to_string());
    }
    let mut header = HeaderValue::try_from(text).expect("a token and a checked name are visible ASCII");
    header.set_sensitive(true);
    header
}

fn trim(bytes: &[u8]) -> &[u8] {
    let blank = |byte: &u8| *byte == b' ' || *byte == b'\t';
    let start = bytes.iter().position(|byte| !blank(byte)).unwrap_or(bytes.len());
    let end = bytes
        .iter()
        .rposition(|byte| !blank(byte))
        .map_or(start, |last| last + 1);
    &bytes[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[&[u8]]) -> CookieLookup {
        let mut map = HeaderMap::new();
        for bytes in headers {
            map.append(COOKIE, HeaderValue::from_bytes(bytes).expect("a header value"));
        }
        RefreshCookie::new("__Host-refresh").read(&map)
    }

    fn token(text: &str) -> CookieLookup {
        CookieLookup::Token(SignedToken::new(text.to_owned()))
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        assert_eq!(read(&[]), CookieLookup::Missing);
        assert_eq!(read(&[b"a=1; b=2"]), CookieLookup::Missing);
        assert_eq!(read(&[b"a=1; __Host-refresh=x.y.z; b=2"]), token("x.y.z"));
        assert_eq!(read(&[b"a=1", b"__Host-refresh= x.y.z "]), token("x.y.z"));
        assert_eq!(read(&[b"__Host-refresh=a=b"]), token("a=b"));
        assert_eq!(read(&[b"__Host-refresh="]), token(""));
    }

    #[test]
    fn malformed_neighbours_do_not_matter() {
        assert_eq!(
            read(&["emoji=\u{1f511}; __Host-refresh=t".as_bytes()]),
            token("t")
        );
        assert_eq!(read(&[b"x=\xff\xfe; __Host-refresh=t; =; ;;novalue"]), token("t"));
    }

    #[test]
    fn a_name_must_be_exact_to_the_byte() {
        for forged in [
            "%5F%5FHost-refresh=evil",
            "__host-refresh=evil",
            "__HOST-REFRESH=evil",
            "__Host-refreshx=evil",
            "__Host-refresh =evil",
            "\t__Host-refresh=evil",
            "\u{2000}__Host-refresh=evil",
            "\u{a0}__Host-refresh=evil",
            "__Host-refresh\u{85}=evil",
        ] {
            assert_eq!(read(&[forged.as_bytes()]), CookieLookup::Missing, "{forged}");
            assert_eq!(
                read(&[format!("{forged}; __Host-refresh=t").as_bytes()]),
                token("t"),
                "{forged}"
            );
        }
    }

    #[test]
    fn two_cookies_of_one_name_are_ambiguous() {
        assert_eq!(
            read(&[b"__Host-refresh=a; __Host-refresh=b"]),
            CookieLookup::Ambiguous
        );
        assert_eq!(
            read(&[b"__Host-refresh=a", b"__Host-refresh=a"]),
            CookieLookup::Ambiguous
        );
    }

    #[test]
    fn setting_and_clearing_differ_only_in_value_and_age() {
        let cookie = RefreshCookie::new("__Host-refresh");
        let token = SignedToken::new("x.y.z".into());
        assert_eq!(
            cookie.set(&token, CookieLifetime::Persistent(Duration::from_hours(7 * 24))),
            "__Host-refresh=x.y.z; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=604800"
        );
        assert_eq!(
            cookie.set(&token, CookieLifetime::Session),
            "__Host-refresh=x.y.z; Path=/; Secure; HttpOnly; SameSite=Strict"
        );
        assert_eq!(
            cookie.clear(),
            "__Host-refresh=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"
        );
    }
}
