//! What the server knew about the session when it rendered the page.

use session_client::SessionView;

/// The server's first guess, made from the refresh cookie's signature and expiry alone.
///
/// It only selects the first paint; no permission depends on it. The browser renders its own first view from the same
/// value, so that hydration finds exactly the markup that the server sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SessionHint {
    /// The request carried a cookie that looks valid.
    SignedIn,
    /// A navigation that would have carried a cookie carried none.
    Anonymous,
    /// A `SameSite=Strict` cookie is withheld when another site links here, so its absence proves nothing.
    #[default]
    Unknown,
}

impl SessionHint {
    /// The value of `data-session` on `<html>`, written by `app::shell`.
    pub fn marker(self) -> &'static str {
        match self {
            Self::SignedIn => "signed-in",
            Self::Anonymous => "anonymous",
            Self::Unknown => "unknown",
        }
    }

    /// Parses `data-session`. Any value that the server does not write is [`SessionHint::Unknown`].
    pub fn from_marker(marker: &str) -> Self {
        match marker {
            "signed-in" => Self::SignedIn,
            "anonymous" => Self::Anonymous,
            _ => Self::Unknown,
        }
    }

    /// The view that the first paint shows.
    pub fn initial_view(self) -> SessionView {
        match self {
            Self::SignedIn => SessionView::Restoring,
            Self::Anonymous => SessionView::Anonymous { reason: None },
            Self::Unknown => SessionView::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_parse_back() {
        for session_hint in [
            SessionHint::SignedIn,
            SessionHint::Anonymous,
            SessionHint::Unknown,
        ] {
            assert_eq!(SessionHint::from_marker(session_hint.marker()), session_hint);
        }
    }

    #[test]
    fn unknown_markers_parse_as_unknown() {
        assert_eq!(SessionHint::from_marker("reconnecting"), SessionHint::Unknown);
        assert_eq!(SessionHint::from_marker(""), SessionHint::Unknown);
    }
}
