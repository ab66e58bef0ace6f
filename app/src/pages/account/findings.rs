//! Describes what was found in the places that could hold tokens. Plain functions: the panel reads, these judge.

use ui::storage::StorageFinding;
use ui::token_state::TokenState;

/// The mark for the state of a place. It is a word with a shape; the colour only repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    Safe(&'static str),
    Exposed(&'static str),
    Neutral(&'static str),
}

/// The state of the refresh cookie, as far as script can know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CookieState {
    /// The server has accepted the cookie that the browser sent.
    Accepted,
    /// The browser would keep the cookie, but the server is unreachable and cannot confirm it.
    Unconfirmed,
    /// The browser does not keep it.
    Refused,
}

impl CookieState {
    /// Returns `None` until a session is known.
    pub fn of(token: TokenState, kept: bool) -> Option<Self> {
        match token {
            TokenState::Pending => None,
            _ if !kept => Some(Self::Refused),
            TokenState::Held(_) => Some(Self::Accepted),
            TokenState::Unreachable | TokenState::Absent => Some(Self::Unconfirmed),
        }
    }
}

pub fn memory_mark(token: TokenState) -> Option<Mark> {
    match token {
        TokenState::Held(_) => Some(Mark::Neutral("here")),
        TokenState::Unreachable => Some(Mark::Neutral("unsure")),
        TokenState::Absent => Some(Mark::Neutral("none yet")),
        TokenState::Pending => None,
    }
}

pub fn cookie_mark(cookie: CookieState, readable: &StorageFinding) -> Mark {
    match (cookie, readable) {
        (_, StorageFinding::TokenFound { .. }) => Mark::Exposed("a token is readable"),
        (CookieState::Refused, _) => Mark::Neutral("refused"),
        (CookieState::Unconfirmed, _) => Mark::Neutral("unsure"),
        (CookieState::Accepted, _) => Mark::Safe("here, unreadable"),
    }
}

pub fn cookie_text(cookie: CookieState, readable: &StorageFinding) -> String {
    match (cookie, readable) {
        (_, StorageFinding::TokenFound { keys }) => {
            format!(
                "A readable cookie holds what looks like a token: {}. Keyturn did not put it there.",
                list(keys)
            )
        }
        (CookieState::Refused, _) => "This browser refuses it, so a reload will sign you out.".into(),
        (_, StorageFinding::Empty) => "Asked for its cookies just now, this page was shown none.".into(),
        (_, StorageFinding::NoToken { keys }) => {
            format!(
                "Asked for its cookies just now, this page was shown others only: {}.",
                list(keys)
            )
        }
    }
}

pub fn storage_mark(found: &StorageFinding) -> Mark {
    match found {
        StorageFinding::Empty => Mark::Safe("empty"),
        StorageFinding::NoToken { .. } => Mark::Safe("no token"),
        StorageFinding::TokenFound { .. } => Mark::Exposed("a token is readable"),
    }
}

pub fn storage_text(found: &StorageFinding) -> String {
    match found {
        StorageFinding::Empty => "localStorage and sessionStorage are empty, checked just now.".into(),
        StorageFinding::NoToken { keys } => {
            let keys: Vec<_> = keys.iter().map(|key| known_key(key)).collect();
            format!("Checked just now: no token, only {}.", list(&keys))
        }
        StorageFinding::TokenFound { keys } => {
            format!(
                "Checked just now: {} holds what looks like a token. Keyturn did not put it there, and any script can \
                 read it.",
                list(keys)
            )
        }
    }
}

/// The purpose of one of our own entries; an unknown entry is shown by its key.
fn known_key(key: &str) -> String {
    match key {
        ui::platform::COLOR_SCHEME_KEY => "the colours that you chose".into(),
        "keyturn.pending_logout" => "a note that a sign-out has to be finished".into(),
        other => other.to_owned(),
    }
}

fn list(items: &[String]) -> String {
    items.join(", ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn empty_is_said_only_of_what_is_empty() {
        assert_eq!(storage_mark(&StorageFinding::Empty), Mark::Safe("empty"));
        let colours = StorageFinding::NoToken {
            keys: vec!["keyturn.color_scheme".into()],
        };
        assert_eq!(storage_mark(&colours), Mark::Safe("no token"));
        assert_eq!(
            storage_text(&colours),
            "Checked just now: no token, only the colours that you chose."
        );
    }

    #[test]
    fn a_token_that_script_can_read_is_reported() {
        let found = StorageFinding::TokenFound {
            keys: vec!["jwt".into()],
        };
        assert!(matches!(storage_mark(&found), Mark::Exposed(_)));
        assert!(matches!(
            cookie_mark(CookieState::Accepted, &found),
            Mark::Exposed(_)
        ));
        assert!(storage_text(&found).contains("jwt"));
        assert!(cookie_text(CookieState::Accepted, &found).contains("jwt"));
    }

    #[test]
    fn a_refused_cookie_is_not_claimed_to_be_there() {
        assert_eq!(
            cookie_mark(CookieState::Refused, &StorageFinding::Empty),
            Mark::Neutral("refused")
        );
        assert!(
            cookie_text(CookieState::Refused, &StorageFinding::Empty).contains("reload will sign you out")
        );
    }

    #[test]
    fn no_cookie_is_claimed_before_the_server_has_accepted_one() {
        assert_eq!(CookieState::of(TokenState::Pending, true), None);
        assert_eq!(
            CookieState::of(TokenState::Absent, true),
            Some(CookieState::Unconfirmed)
        );
        assert_eq!(
            CookieState::of(TokenState::Held(Duration::ZERO), true),
            Some(CookieState::Accepted)
        );
        assert_eq!(
            CookieState::of(TokenState::Held(Duration::ZERO), false),
            Some(CookieState::Refused)
        );
        assert_eq!(memory_mark(TokenState::Pending), None);
    }
}
