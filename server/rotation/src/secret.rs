//! The text of a token, which `Debug` does not print.

use std::fmt;

use zeroize::Zeroizing;

/// A signed token. It has no `Display` and no `Serialize`. Only [`SignedToken::expose`] returns the text, so a search
/// for that name finds every place where a token leaves the server.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedToken(Zeroizing<String>);

impl SignedToken {
    /// Wraps the text of a signed token.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SignedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        let token = SignedToken::new("aaa.bbb.ccc".into());
        assert_eq!(format!("{token:?}"), "SignedToken(…)");
        assert_eq!(token.expose(), "aaa.bbb.ccc");
    }
}
