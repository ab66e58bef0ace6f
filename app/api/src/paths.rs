//! Paths of the API. The router and the browser's client use these constants instead of literals; the tests spell them
//! out.

pub const REGISTER: &str = "/api/auth/register";
pub const LOGIN: &str = "/api/auth/login";
pub const REFRESH: &str = "/api/auth/refresh";
pub const LOGOUT: &str = "/api/auth/logout";
pub const LOGOUT_ALL: &str = "/api/auth/logout-all";
pub const SESSION: &str = "/api/auth/session";
pub const ME: &str = "/api/me";
pub const SESSIONS: &str = "/api/sessions";
pub const ONE_SESSION: &str = "/api/sessions/{id}";
pub const ACCOUNT: &str = "/api/account";
pub const ACCOUNT_PASSWORD: &str = "/api/account/password";
pub const ACCOUNT_EVENTS: &str = "/api/account/events";
pub const ACCOUNT_ALARM: &str = "/api/account/alarm";

/// Endpoint for the browsers' reports of what the Content-Security-Policy blocked.
pub const CSP_REPORT: &str = "/api/csp-report";

pub const ADMIN_USERS: &str = "/api/admin/users";
pub const ADMIN_USER_SEARCH: &str = "/api/admin/users/search";
pub const ADMIN_DISABLE_USER: &str = "/api/admin/users/{id}/disable";
pub const ADMIN_ENABLE_USER: &str = "/api/admin/users/{id}/enable";
pub const ADMIN_USER_SESSIONS: &str = "/api/admin/users/{id}/sessions";

pub const JWKS: &str = "/.well-known/jwks.json";
pub const HEALTH_LIVE: &str = "/health/live";
pub const HEALTH_READY: &str = "/health/ready";

/// Encodes a text as one value of a query. Every UTF-8 byte that is not unreserved (RFC 3986 §2.3) is percent-encoded,
/// so nothing in the text can end the value or begin another.
pub fn query_value(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut value = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            value.push(char::from(byte));
        } else {
            value.push('%');
            value.push(char::from(HEX[usize::from(byte >> 4)]));
            value.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_value_escapes_every_separator() {
        assert_eq!(query_value("Ada-1._~"), "Ada-1._~");
        assert_eq!(query_value("a+b&limit=1#x"), "a%2Bb%26limit%3D1%23x");
        assert_eq!(query_value("50% ü/\n"), "50%25%20%C3%BC%2F%0A");
    }
}
