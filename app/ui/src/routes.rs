//! Paths of the pages, and the destination after sign-in.

use api_types::paths::query_value;

pub const HOME: &str = "/";
pub const REGISTER: &str = "/register";
pub const LOGIN: &str = "/login";
pub const ACCOUNT: &str = "/account";
pub const ACCOUNT_SESSIONS: &str = "/account/sessions";
pub const ACCOUNT_SECURITY: &str = "/account/security";
pub const INSPECTOR: &str = "/inspector";
pub const LAB: &str = "/lab";
pub const ADMIN_USERS: &str = "/admin/users";
/// Cards of the security page.
pub const NEW_PASSWORD: &str = "/account/security#password";
pub const EVERYWHERE: &str = "/account/security#everywhere";

/// Paths of the API and of generated files; no page uses them.
const NOT_PAGES: [&str; 4] = ["api", "pkg", "health", ".well-known"];

/// The destination after sign-in if it is a page of ours, otherwise nothing.
///
/// `next` comes from the address bar, so anyone can write it. A link to our sign-in page that ends on another site is
/// an old way to steal a password (open redirect). The rule is an allow-list, because browsers accept too many variants
/// to list (they read `/\evil` and `/<tab>/evil` as `//evil`, another host): one slash at the start, segments of plain
/// unreserved characters (RFC 3986 §2.3), and after `?` or `#` printable ASCII without backslash.
pub fn safe_next(next: &str) -> Option<&str> {
    let end_of_path = next.find(['?', '#']).unwrap_or(next.len());
    let (path, rest) = next.split_at(end_of_path);
    let mut segments = path.strip_prefix('/')?.split('/').peekable();
    let first = segments.peek().copied().unwrap_or_default();
    if NOT_PAGES
        .iter()
        .chain(&["login", "register"])
        .any(|taken| first.eq_ignore_ascii_case(taken))
    {
        return None;
    }
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        let plain = segment
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
        // An empty segment is allowed only at the end (`/` and `/account/`): anywhere else it means `//`.
        if !plain || segment == "." || segment == ".." || (segment.is_empty() && !last) {
            return None;
        }
    }
    rest.bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        .then_some(next)
}

/// The sign-in page (or the register page) with the visitor's destination.
pub fn with_next(page: &str, next: &str) -> String {
    format!("{page}?next={}", query_value(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_pages_are_kept_whole() {
        for path in [
            "/",
            "/account",
            "/account/",
            "/account/sessions",
            "/learn?chapter=2#reload",
            "/lab?filter=a%20b",
            "/learn#rotation",
            "/loginhelp",
            "/a.b/c_d/e~f",
        ] {
            assert_eq!(safe_next(path), Some(path));
        }
    }

    #[test]
    fn other_hosts_are_refused_however_they_are_spelled() {
        for path in [
            "",
            "account",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r\n/evil.example",
            "\t//evil.example",
            " //evil.example",
            " /account",
            "/account ",
            "https:evil.example",
            "https://evil.example",
            "https:/evil.example",
            "HTTPS://evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "%2f%2fevil.example",
            "/%2fevil.example",
            "/%2Fevil.example",
            "/%5cevil.example",
            "/%09/evil.example",
            "/account//evil.example",
            "/.//evil.example",
            "/..//evil.example",
            "/../evil",
            "/./account",
            "/account/..",
            "/account@evil.example",
            "/:80",
            "/account\u{0}",
            "/account\u{7f}",
            "/\u{2044}evil.example",
            "/\u{ff0f}evil.example",
            "/account?x=\\evil",
            "/account?x=a b",
            "/account#\u{1}",
            "/ä",
            "?next=/account",
            "#/account",
        ] {
            assert_eq!(safe_next(path), None, "{path:?}");
        }
    }

    #[test]
    fn sign_in_never_redirects_to_itself() {
        for path in [
            "/login",
            "/login/",
            "/login?next=/login",
            "/LOGIN",
            "/register",
            "/register#x",
            "/login/deeper",
        ] {
            assert_eq!(safe_next(path), None, "{path:?}");
        }
    }

    #[test]
    fn only_pages_are_destinations() {
        for path in [
            "/api/me",
            "/API/me",
            "/pkg/keyturn.js",
            "/health/live",
            "/.well-known/jwks.json",
            "/api",
        ] {
            assert_eq!(safe_next(path), None, "{path:?}");
        }
    }

    #[test]
    fn the_destination_travels_as_one_query_value() {
        assert_eq!(with_next(LOGIN, "/account"), "/login?next=%2Faccount");
        assert_eq!(
            with_next(LOGIN, "/learn?a=1&b=2#c"),
            "/login?next=%2Flearn%3Fa%3D1%26b%3D2%23c"
        );
    }
}
