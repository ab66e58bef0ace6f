//! Reads cookies as a simple server does, for all servers of the lab except the product, and for the evidence.
//!
//! The product's own parser refuses two cookies of one name ([`web::cookies`]). These servers must not: an experiment
//! sets a second cookie from another host.

use axum::{
    http::{
        HeaderMap, HeaderValue,
        header::{COOKIE, SET_COOKIE},
    },
    response::Response,
};

/// The first cookie of a name in a request, as nearly every server reads it.
pub fn in_request(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut headers = headers.get_all(COOKIE).into_iter();
    // Cookies of other applications on this host may contain any bytes.
    headers.find_map(|header| find(&String::from_utf8_lossy(header.as_bytes()), name).map(str::to_owned))
}

/// The cookie of a name that a response sets; empty if it clears the cookie.
pub fn in_response<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut headers = headers.get_all(SET_COOKIE).into_iter();
    headers.find_map(|header| set_by(header.to_str().ok()?, name))
}

/// The first cookie of a name in a `Cookie` header.
pub fn find<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.split("; ").find_map(|pair| value(pair, name))
}

/// The value that a `Set-Cookie` header gives to the cookie of a name.
pub fn set_by<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    value(header.split(';').next()?, name)
}

fn value<'a>(pair: &'a str, name: &str) -> Option<&'a str> {
    pair.strip_prefix(name)?.strip_prefix('=')
}

/// Adds cookies to a response.
///
/// # Panics
/// If a cookie is not visible ASCII.
pub fn with_cookies(mut response: Response, cookies: &[String]) -> Response {
    for cookie in cookies {
        let value = HeaderValue::try_from(cookie.as_str()).expect("names and tokens are visible ASCII");
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}
