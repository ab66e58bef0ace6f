//! The access token, protected against accidental leaks.

use std::{fmt, rc::Rc};

use zeroize::Zeroizing;

/// An access token in memory.
///
/// Opaque (RFC 6749 §1.4): no code decides by its content, so no code can trust an unverified claim. Only
/// [`inspect`](crate::inspect) decodes it, to show it to a developer. It does not implement `Serialize`, so it cannot
/// end up in storage or in a page's HTML:
///
/// ```compile_fail,E0277
/// fn store<T: serde::Serialize>(_: &T) {}
/// store(&session_client::AccessToken::new("a.b.c".to_owned()).unwrap());
/// ```
///
/// Its `Debug` is redacted, and the text is overwritten when the last clone is dropped. Overwriting is best effort: the
/// JavaScript engine that carried the response and the request made its own copies.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(Rc<Zeroizing<String>>);

impl AccessToken {
    /// Takes a token as the server sent it. `None` if it does not have the form of a bearer token (`b64token`, RFC 6750
    /// §2.1): such a text could not be sent in a header, or could inject another header.
    pub fn new(text: String) -> Option<Self> {
        let text = Zeroizing::new(text);
        let body = text.trim_end_matches('=');
        let well_formed = !body.is_empty()
            && body
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte));
        well_formed.then(|| Self(Rc::new(text)))
    }

    /// An invalid copy of the token, for which the server must answer 401: one character of the signature differs.
    pub(crate) fn with_invalid_signature(&self) -> Self {
        let (signed, signature) = self.0.rsplit_once('.').unwrap_or(("", &self.0));
        let first = if signature.starts_with('A') { 'B' } else { 'A' };
        let rest = signature.get(1..).unwrap_or_default();
        Self(Rc::new(Zeroizing::new(format!("{signed}.{first}{rest}"))))
    }

    /// The token's text: for the `Authorization` header, and for [`inspect`](crate::inspect), which omits the
    /// signature.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_with_invalid_header_characters_are_refused() {
        for text in ["", "=", "a b", "a.b\r\nCookie: c", "tökén", "a=b"] {
            assert_eq!(AccessToken::new(text.into()), None, "{text:?}");
        }
        for text in ["eyJh.eyJz.s-_g", "opaque~+/==", "x"] {
            assert!(AccessToken::new(text.into()).is_some(), "{text:?}");
        }
    }

    #[test]
    fn an_invalidated_token_differs_only_in_its_signature() {
        for (text, with_invalid_signature) in [
            ("eyJh.eyJz.sig", "eyJh.eyJz.Aig"),
            ("eyJh.eyJz.Aig", "eyJh.eyJz.Big"),
        ] {
            let token = AccessToken::new(text.into()).expect("well-formed");
            assert_eq!(token.with_invalid_signature().expose(), with_invalid_signature);
        }
    }

    #[test]
    fn debug_output_carries_no_secret() {
        let token = AccessToken::new("eyJh.eyJz.sig".into()).expect("well-formed");
        assert_eq!(format!("{token:?}"), "AccessToken([redacted])");
    }
}
