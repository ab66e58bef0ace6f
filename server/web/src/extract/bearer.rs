//! The `Authorization` header. This file depends on nothing else in the server, so that it can be fuzzed in isolation.

use axum::http::{HeaderMap, header::AUTHORIZATION};

/// The token of the `Authorization` header (RFC 6750 §2.1): one header, one scheme, one token.
///
/// # Errors
/// What is wrong with the header, for the log. `Ok(None)` if there is none.
pub fn bearer_token(headers: &HeaderMap) -> Result<Option<&str>, &'static str> {
    let mut values = headers.get_all(AUTHORIZATION).into_iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err("there are two Authorization headers");
    }
    let text = value
        .to_str()
        .map_err(|_| "the Authorization header is not ASCII")?;
    let (scheme, token) = text
        .split_once(' ')
        .ok_or("the Authorization header has no token")?;
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Err("the scheme is not Bearer");
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if token.is_empty() || !token.bytes().all(plain) {
        return Err("the bearer token is not one compact JWS");
    }
    Ok(Some(token))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn read(values: &[&str]) -> Result<Option<String>, &'static str> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(
                AUTHORIZATION,
                HeaderValue::from_str(value).expect("a header value"),
            );
        }
        bearer_token(&headers).map(|token| token.map(str::to_owned))
    }

    #[test]
    fn one_header_with_one_token_is_read() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["Bearer a.b.c"]), Ok(Some("a.b.c".into())));
        assert_eq!(read(&["bearer a.b.c"]), Ok(Some("a.b.c".into())));
    }

    #[test]
    fn anything_else_is_an_error_and_not_anonymous() {
        for values in [
            &["Bearer a.b.c", "Bearer a.b.c"][..],
            &["Bearer"],
            &["Bearer "],
            &["Bearer  a.b.c"],
            &["Bearer a.b.c "],
            &["Bearer\ta.b.c"],
            &["Bearer a.b.c, Bearer d.e.f"],
            &["Bearer Bearer a.b.c"],
            &["Basic YTpi"],
            &[""],
        ] {
            assert!(read(values).is_err(), "{values:?}");
        }
    }
}
