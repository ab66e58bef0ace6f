//! The `Cookie` header: exactly one cookie of our name, byte for byte, whatever other cookies there are.

#![no_main]

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header::COOKIE};
use keyturn_fuzz::{
    cookies::{CookieLifetime, CookieLookup, RefreshCookie},
    header_values,
};
use libfuzzer_sys::fuzz_target;
use rotation::SignedToken;

const NAME: &str = "__Host-refresh";
/// The characters of a compact JWS.
const TOKEN_CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz012345678-_.";

fuzz_target!(|data: &[u8]| {
    let values = header_values(data);
    let cookie = RefreshCookie::new(NAME);
    let found = cookie.read(&with_cookies(&values));
    match &*expected_values(&values) {
        [] => assert_eq!(found, CookieLookup::Missing),
        [one] => {
            // A value that is not UTF-8 reads as an empty one.
            let text = std::str::from_utf8(one).unwrap_or_default();
            assert_eq!(found, CookieLookup::Token(SignedToken::new(text.to_owned())));
        }
        _ => assert_eq!(found, CookieLookup::Ambiguous),
    }

    // What the server sets, the browser sends back among these, and it reads the same.
    let token: String = data
        .iter()
        .map(|byte| char::from(TOKEN_CHARACTERS[usize::from(byte % 64)]))
        .collect();
    let token = SignedToken::new(token);
    let set = cookie.set(&token, CookieLifetime::Persistent(Duration::from_secs(60)));
    let set = set.to_str().expect("ASCII");
    let pair = set.split(';').next().expect("a pair");
    let mut more = values;
    more.push(HeaderValue::try_from(pair).expect("a header value"));
    let again = cookie.read(&with_cookies(&more));
    match found {
        CookieLookup::Missing => assert_eq!(again, CookieLookup::Token(token)),
        CookieLookup::Token(_) | CookieLookup::Ambiguous => assert_eq!(again, CookieLookup::Ambiguous),
    }
});

fn with_cookies(values: &[HeaderValue]) -> HeaderMap {
    values.iter().map(|value| (COOKIE, value.clone())).collect()
}

/// An independent reading: split at `;`, at most one space before the name, then the name, `=` and the value.
fn expected_values(headers: &[HeaderValue]) -> Vec<Vec<u8>> {
    let mut values = Vec::new();
    for header in headers {
        for pair in header.as_bytes().split(|byte| *byte == b';') {
            let pair = pair.strip_prefix(b" ").unwrap_or(pair);
            if let Some(rest) = pair.strip_prefix(NAME.as_bytes())
                && let Some(value) = rest.strip_prefix(b"=")
            {
                values.push(value.trim_ascii().to_vec());
            }
        }
    }
    values
}
