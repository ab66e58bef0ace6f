//! The tokens of one sign-in at a server of the race experiment. Pure: no waiting here.

use std::collections::{HashMap, HashSet};

use lab_types::RaceDefence;

/// The same as Keyturn, in cells where no one waits for it to end.
const GRACE_MS: u64 = 10_000;

/// All tokens that descend from one sign-in.
#[derive(Debug, Default)]
pub struct RaceSession {
    pub user: String,
    live: HashSet<String>,
    /// Used tokens, with their successor and when it was issued.
    spent: HashMap<String, (String, u64)>,
    access: HashSet<String>,
    has_ended: bool,
}

/// What a server reads about a refresh token before it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenStatus {
    Live,
    Spent,
}

impl RaceSession {
    pub fn new(user: &str, token: String) -> Self {
        Self {
            user: user.to_owned(),
            live: HashSet::from([token]),
            ..Self::default()
        }
    }

    /// The status of a refresh token; `None` if the server refuses it without looking further.
    pub fn status_of(&self, token: &str) -> Option<TokenStatus> {
        if self.has_ended {
            None
        } else if self.live.contains(token) {
            Some(TokenStatus::Live)
        } else {
            self.spent.contains_key(token).then_some(TokenStatus::Spent)
        }
    }

    /// The refresh token to respond with; `None` is a refusal. `status` is what the server read before it waited.
    pub fn refresh(
        &mut self,
        defence: RaceDefence,
        token: &str,
        status: TokenStatus,
        successor: String,
        now_ms: u64,
    ) -> Option<String> {
        match defence {
            // The read value is trusted, however old it is.
            RaceDefence::None | RaceDefence::SingleFlight | RaceDefence::Lock => {
                (status == TokenStatus::Live).then(|| self.rotate(token, successor, now_ms))
            }
            RaceDefence::CompareAndSet | RaceDefence::Grace | RaceDefence::Server | RaceDefence::Together => {
                if self.has_ended {
                    return None;
                }
                if self.live.contains(token) {
                    return Some(self.rotate(token, successor, now_ms));
                }
                let (again, at_ms) = self.spent.get(token)?;
                let is_forgiven = now_ms.saturating_sub(*at_ms) < GRACE_MS || self.live.contains(again);
                if defence != RaceDefence::CompareAndSet && is_forgiven {
                    return Some(again.clone());
                }
                self.has_ended = true;
                None
            }
        }
    }

    pub fn add_access(&mut self, token: String) {
        self.access.insert(token);
    }

    pub fn accepts_access(&self, token: &str) -> bool {
        !self.has_ended && self.access.contains(token)
    }

    /// Marks a token as used and makes `successor` the live one.
    fn rotate(&mut self, token: &str, successor: String, now_ms: u64) -> String {
        self.live.remove(token);
        self.live.insert(successor.clone());
        self.spent.insert(token.to_owned(), (successor.clone(), now_ms));
        successor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> RaceSession {
        RaceSession::new("ada", "a".into())
    }

    /// Two requests with the same token, both of which read before either writes.
    fn race(defence: RaceDefence) -> (RaceSession, [Option<String>; 2]) {
        let mut session = session();
        let status = session.status_of("a").expect("it is live");
        let responses = ["b", "c"].map(|next| session.refresh(defence, "a", status, next.into(), 0));
        (session, responses)
    }

    #[test]
    fn without_compare_and_set_one_token_has_two_live_successors() {
        let (session, responses) = race(RaceDefence::None);
        assert_eq!(responses, [Some("b".into()), Some("c".into())]);
        assert_eq!(session.live.len(), 2);
    }

    #[test]
    fn compare_and_set_alone_treats_a_race_as_reuse() {
        let (session, responses) = race(RaceDefence::CompareAndSet);
        assert_eq!(responses, [Some("b".into()), None]);
        assert!(session.has_ended);
        assert_eq!(session.status_of("b"), None);
    }

    #[test]
    fn within_the_grace_period_both_get_the_same_token() {
        let (mut session, responses) = race(RaceDefence::Grace);
        assert_eq!(responses, [Some("b".into()), Some("b".into())]);
        let mut refresh = |token, status, successor: &str, now_ms| {
            session.refresh(RaceDefence::Grace, token, status, successor.into(), now_ms)
        };
        // Until the successor is used, its parent may request it again.
        let again = refresh("a", TokenStatus::Spent, "d", 10 * GRACE_MS);
        assert_eq!(again, Some("b".into()));
        refresh("b", TokenStatus::Live, "e", 10 * GRACE_MS);
        let late = refresh("a", TokenStatus::Spent, "f", 20 * GRACE_MS);
        assert_eq!(late, None);
        assert!(session.has_ended);
    }

    #[test]
    fn a_page_lock_leaves_a_used_token_refused_without_consequences() {
        let mut session = session();
        session.rotate("a", "b".into(), 0);
        let status = session.status_of("a").expect("it is known");
        assert_eq!(
            session.refresh(RaceDefence::Lock, "a", status, "c".into(), 0),
            None
        );
        assert_eq!(session.status_of("b"), Some(TokenStatus::Live));
    }
}
