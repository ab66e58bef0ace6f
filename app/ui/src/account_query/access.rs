//! Whose data a page may show, and when there is a token to load it.

use session_client::SessionView;

use crate::session_ctx::AuthState;

/// Whose data the page may show, and which token can load it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct AccountAccess {
    pub(super) user: Option<String>,
    has_token: bool,
    /// Counts how often a token arrived for a page that had none, or that showed another user.
    arrivals: u32,
}

impl AccountAccess {
    pub(super) fn next(before: Option<&Self>, view: &SessionView) -> Self {
        let before = before.cloned().unwrap_or_default();
        let user = AuthState::of(view).user_id();
        let has_token = matches!(view, SessionView::SignedIn { .. });
        // Another tab may have signed in as another user, and this page only noticed at its own refresh.
        let arrived = has_token && (!before.has_token || before.user != user);
        Self {
            user,
            has_token,
            arrivals: before.arrivals + u32::from(arrived),
        }
    }

    /// What a load depends on. It stays the same while the connection is lost, so that nothing is sent then.
    pub(super) fn source(&self) -> Option<(String, u32)> {
        let user = self.user.clone().filter(|_| self.arrivals > 0)?;
        Some((user, self.arrivals))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use api_types::auth::User;

    use super::*;

    fn user(id: &str) -> User {
        User {
            id: id.into(),
            email: "ada@example.com".into(),
            display_name: None,
            role: "user".into(),
            created_at: 0,
        }
    }

    fn signed_in(id: &str, expires_at: u64) -> SessionView {
        SessionView::SignedIn {
            user: user(id),
            expires_at: Duration::from_secs(expires_at),
        }
    }

    fn disconnected(id: Option<&str>) -> SessionView {
        SessionView::Reconnecting { user: id.map(user) }
    }

    /// What a load depends on after each of these views.
    fn sources(views: &[SessionView]) -> Vec<Option<(String, u32)>> {
        let mut access = None;
        let mut seen = vec![];
        for view in views {
            let next = AccountAccess::next(access.as_ref(), view);
            seen.push(next.source());
            access = Some(next);
        }
        seen
    }

    fn source(user: &str, arrivals: u32) -> (String, u32) {
        (user.into(), arrivals)
    }

    #[test]
    fn a_renewed_token_loads_nothing_and_a_regained_connection_does() {
        let views = [
            SessionView::Restoring,
            signed_in("1", 900),
            signed_in("1", 1_800),
            disconnected(Some("1")),
            signed_in("1", 1_800),
        ];
        let first = Some(source("1", 1));
        assert_eq!(
            sources(&views),
            [None, first.clone(), first.clone(), first, Some(source("1", 2))]
        );
    }

    #[test]
    fn nothing_is_loaded_before_there_is_a_token() {
        assert_eq!(
            sources(&[disconnected(None), disconnected(Some("1")), signed_in("1", 900)]),
            [None, None, Some(source("1", 1))]
        );
    }

    #[test]
    fn the_end_of_a_session_and_another_user_start_over() {
        let views = [
            signed_in("1", 900),
            signed_in("2", 900),
            SessionView::Anonymous { reason: None },
            signed_in("2", 900),
        ];
        assert_eq!(
            sources(&views),
            [
                Some(source("1", 1)),
                Some(source("2", 2)),
                None,
                Some(source("2", 3))
            ]
        );
    }
}
