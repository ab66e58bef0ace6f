//! The `Authorization` header: one header, one scheme, one token. Nothing else is a token, and nothing else is anonymous.

#![no_main]

use axum::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use keyturn_fuzz::{extract::bearer_token, header_values};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let values = header_values(data);
    let headers: HeaderMap = values
        .iter()
        .map(|value| (AUTHORIZATION, value.clone()))
        .collect();
    let found = bearer_token(&headers);
    match &*values {
        [] => assert_eq!(found, Ok(None)),
        [one] => match expected_token(one) {
            Some(token) => assert_eq!(found.map(|token| token.map(str::as_bytes)), Ok(Some(token))),
            None => assert!(found.is_err()),
        },
        _ => assert!(found.is_err()),
    }
});

/// An independent reading: `Bearer` in any case, one space, and a text of the characters of a compact JWS.
fn expected_token(value: &HeaderValue) -> Option<&[u8]> {
    let (scheme, token) = value.as_bytes().split_at_checked(7)?;
    let is_bearer = scheme.to_ascii_lowercase() == b"bearer ";
    let is_token = |byte: &u8| matches!(byte, b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' | b'.');
    (is_bearer && !token.is_empty() && token.iter().all(is_token)).then_some(token)
}
