//! Derives the tokens and their states from the responses and the tables. Pure: no queries here.

use api_types::problem::ProblemCode;
use lab_types::live::{Hand, Held, State, Token};
use rotation::{Generation, Jti, Session};
use store::blacklist::{BlacklistedToken, ROTATED};

/// The number of shown characters of an id, enough to distinguish the ids of a session. Taken from the end, because the
/// beginning is a time.
const JTI: usize = 8;

/// A request with a refresh token and its response, or the sign-in.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    pub(super) sent: Option<Generation>,
    /// The refresh token that the response set, whether or not the response arrived.
    pub(super) given: Option<(Generation, Jti)>,
    pub(super) code: Option<ProblemCode>,
    /// Whether the access token of that response was accepted afterwards.
    pub(super) used: bool,
}

/// All evidence about a session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evidence<'a> {
    /// Oldest first.
    pub(super) exchanges: &'a [Exchange],
    pub(super) row: Option<&'a Session>,
    pub(super) blacklist: &'a [BlacklistedToken],
    pub(super) held: [(Hand, Held); 2],
    /// Which tokens everyone held when the session ended, if it did.
    pub(super) held_at_the_end: Option<[(Hand, Held); 2]>,
}

/// The tokens that were issued, oldest first.
pub(super) fn tokens(evidence: &Evidence<'_>) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    for exchange in evidence.exchanges {
        let sent = exchange.sent.map(Generation::number);
        let new = exchange
            .given
            .filter(|(generation, _)| tokens.iter().all(|token| token.generation != generation.number()));
        if let Some((generation, jti)) = new {
            tokens.push(minted(evidence, generation, jti, sent));
        } else if let Some(token) = tokens.iter_mut().find(|token| Some(token.generation) == sent) {
            let reused = exchange.code == Some(ProblemCode::RefreshReused);
            let again = exchange.given.is_some() || exchange.code == Some(ProblemCode::RefreshSuperseded);
            token.replays += u32::from(reused || again);
            token.gave_away |= reused;
        }
    }
    tokens
}

fn minted(evidence: &Evidence<'_>, generation: Generation, jti: Jti, parent: Option<u32>) -> Token {
    let number = generation.number();
    let dead = evidence.blacklist.iter().find(|dead| dead.jti == jti);
    let lost_by = evidence.held_at_the_end.map_or_else(Vec::new, |held| {
        hands(held, |held| {
            held.refresh == Some(number) || held.access == Some(number)
        })
    });
    Token {
        generation: number,
        parent,
        jti: short(jti),
        state: state(evidence, generation, jti),
        blacklisted: dead.map(|dead| dead.reason.clone()),
        replays: 0,
        gave_away: false,
        holders: hands(evidence.held, |held| held.refresh == Some(number)),
        lost_by,
    }
}

/// The state of a token according to the rows; `None` if the rows contradict each other.
fn state(evidence: &Evidence<'_>, generation: Generation, jti: Jti) -> Option<State> {
    let row = evidence.row?;
    let is_leaf = row.live_token.jti == jti && row.live_token.generation == generation;
    let dead = evidence.blacklist.iter().find(|dead| dead.jti == jti);
    let was_rotated = dead.is_some_and(|dead| dead.reason == ROTATED);
    match (row.revocation, dead) {
        (None, None) if is_leaf => {
            let mut exchanges = evidence.exchanges.iter();
            let used = exchanges.any(|exchange| {
                exchange.used && exchange.given.is_some_and(|(given, _)| given == generation)
            });
            Some(if row.confirmed_at.is_some() || used {
                State::Active
            } else {
                State::Issued
            })
        }
        (None, Some(_)) if !is_leaf && was_rotated => Some(if row.previous_jti == Some(jti) {
            State::Rotated
        } else {
            State::Superseded
        }),
        (Some(ended), Some(dead)) if is_leaf && dead.reason == ended.reason.as_str() => {
            Some(State::Blacklisted)
        }
        (Some(_), Some(_)) if !is_leaf && was_rotated => Some(State::Ended),
        _ => None,
    }
}

/// Those who hold a token that matches.
pub(super) fn hands(held: [(Hand, Held); 2], which: impl Fn(Held) -> bool) -> Vec<Hand> {
    held.into_iter()
        .filter(|(_, held)| which(*held))
        .map(|(hand, _)| hand)
        .collect()
}

/// The part of an id that is shown.
pub(super) fn short(jti: Jti) -> String {
    let text = jti.to_string();
    text.get(text.len().saturating_sub(JTI)..)
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use rotation::{KeyId, LiveToken, Revocation, RevocationReason, SessionId, Timestamp, UserId};

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

    fn jti(number: u8) -> Jti {
        Jti::new(NOW, [number; 10])
    }

    fn generation(number: u8) -> Generation {
        Generation::new(number.into())
    }

    fn token(number: u8) -> (Generation, Jti) {
        (generation(number), jti(number))
    }

    fn sign_in() -> Exchange {
        Exchange {
            sent: None,
            given: Some(token(1)),
            code: None,
            used: true,
        }
    }

    fn renewal(sent: u8, got: u8, used: bool) -> Exchange {
        Exchange {
            sent: Some(generation(sent)),
            given: Some(token(got)),
            used,
            ..sign_in()
        }
    }

    fn refusal(sent: u8, code: ProblemCode) -> Exchange {
        Exchange {
            sent: Some(generation(sent)),
            given: None,
            code: Some(code),
            used: false,
        }
    }

    /// A row whose live token has this generation.
    fn row(leaf: u8, confirmed: bool, ended: Option<RevocationReason>) -> Session {
        Session {
            id: SessionId::new(NOW, [0; 10]),
            user_id: UserId::new(NOW, [0; 10]),
            token_epoch: 0,
            live_token: LiveToken {
                jti: jti(leaf),
                generation: generation(leaf),
                issued_at: NOW,
                expires_at: NOW,
                kid: KeyId::new("k"),
            },
            previous_jti: (leaf > 1).then(|| jti(leaf - 1)),
            rotated_at: NOW,
            confirmed_at: confirmed.then_some(NOW),
            absolute_expires_at: NOW,
            created_at: NOW,
            last_used_at: NOW,
            remember: false,
            revocation: ended.map(|reason| Revocation { at: NOW, reason }),
        }
    }

    fn dead(number: u8, reason: &str) -> BlacklistedToken {
        BlacklistedToken {
            jti: jti(number),
            generation: generation(number),
            reason: reason.to_owned(),
        }
    }

    fn evidence<'a>(
        exchanges: &'a [Exchange],
        row: &'a Session,
        blacklist: &'a [BlacklistedToken],
    ) -> Evidence<'a> {
        let nothing = Held::default();
        Evidence {
            exchanges,
            row: Some(row),
            blacklist,
            held: [(Hand::Owner, nothing), (Hand::Thief, nothing)],
            held_at_the_end: None,
        }
    }

    fn states(evidence: &Evidence<'_>) -> Vec<Option<State>> {
        tokens(evidence).into_iter().map(|token| token.state).collect()
    }

    #[test]
    fn a_chain_is_active_at_its_end_and_spent_before() {
        let exchanges = [sign_in(), renewal(1, 2, true), renewal(2, 3, true)];
        let blacklist = [dead(1, ROTATED), dead(2, ROTATED)];
        let row = row(3, true, None);
        let evidence = evidence(&exchanges, &row, &blacklist);
        assert_eq!(
            states(&evidence),
            [Some(State::Superseded), Some(State::Rotated), Some(State::Active)]
        );
        let tokens = tokens(&evidence);
        let parents: Vec<_> = tokens.iter().map(|token| token.parent).collect();
        assert_eq!(parents, [None, Some(1), Some(2)]);
        assert_eq!(tokens[0].blacklisted.as_deref(), Some("rotated"));
        assert_eq!(tokens[2].blacklisted, None);
        assert_eq!(tokens[0].jti.len(), JTI);
    }

    #[test]
    fn a_token_is_active_once_it_was_seen_in_use() {
        let unused = [Exchange {
            used: false,
            ..sign_in()
        }];
        let first = row(1, false, None);
        assert_eq!(states(&evidence(&unused, &first, &[])), [Some(State::Issued)]);
        assert_eq!(
            states(&evidence(&[sign_in()], &first, &[])),
            [Some(State::Active)]
        );
        // Another client's request may have confirmed it.
        let lost = [sign_in(), renewal(1, 2, false)];
        let blacklist = [dead(1, ROTATED)];
        for (confirmed, state) in [(false, State::Issued), (true, State::Active)] {
            let row = row(2, confirmed, None);
            assert_eq!(states(&evidence(&lost, &row, &blacklist))[1], Some(state));
        }
    }

    #[test]
    fn a_replay_is_counted_where_it_was_presented() {
        let exchanges = [
            sign_in(),
            renewal(1, 2, true),
            renewal(1, 2, true),
            renewal(2, 3, true),
            refusal(1, ProblemCode::RefreshSuperseded),
            // A response that says nothing about the token.
            refusal(2, ProblemCode::Unavailable),
        ];
        let blacklist = [dead(1, ROTATED), dead(2, ROTATED)];
        let row = row(3, true, None);
        let tokens = tokens(&evidence(&exchanges, &row, &blacklist));
        let replays: Vec<_> = tokens.iter().map(|token| token.replays).collect();
        assert_eq!(replays, [2, 0, 0]);
        assert!(tokens.iter().all(|token| !token.gave_away));
    }

    #[test]
    fn reuse_ends_what_was_live_and_says_who_lost_it() {
        let exchanges = [
            sign_in(),
            renewal(1, 2, true),
            refusal(1, ProblemCode::RefreshReused),
            refusal(2, ProblemCode::SessionRevoked),
        ];
        let blacklist = [dead(1, ROTATED), dead(2, "reuse_detected")];
        let row = row(2, true, Some(RevocationReason::ReuseDetected));
        let owner = Held {
            refresh: Some(1),
            access: Some(1),
        };
        let thief = Held {
            refresh: Some(2),
            access: Some(2),
        };
        let tokens = tokens(&Evidence {
            held: [(Hand::Owner, Held::default()), (Hand::Thief, thief)],
            held_at_the_end: Some([(Hand::Owner, owner), (Hand::Thief, thief)]),
            ..evidence(&exchanges, &row, &blacklist)
        });
        assert_eq!(tokens[0].state, Some(State::Ended));
        assert!(tokens[0].gave_away && tokens[0].replays == 1);
        assert_eq!(tokens[0].lost_by, [Hand::Owner]);
        assert!(tokens[0].holders.is_empty());
        assert_eq!(tokens[1].state, Some(State::Blacklisted));
        assert_eq!(tokens[1].blacklisted.as_deref(), Some("reuse_detected"));
        assert_eq!(tokens[1].lost_by, [Hand::Thief]);
        assert_eq!(tokens[1].holders, [Hand::Thief]);
        // A refusal after the end is not a replay.
        assert_eq!(tokens[1].replays, 0);
    }

    #[test]
    fn what_the_rows_do_not_support_is_not_said() {
        let exchanges = [sign_in(), renewal(1, 2, true)];
        let both = [dead(1, ROTATED), dead(2, ROTATED)];
        let row_two = row(2, true, None);
        // The live token is on the blacklist, its parent is not, the row is missing, or the row is older than the
        // issued token.
        assert_eq!(
            states(&evidence(&exchanges, &row_two, &both)),
            [Some(State::Rotated), None]
        );
        assert_eq!(
            states(&evidence(&exchanges, &row_two, &[])),
            [None, Some(State::Active)]
        );
        let no_row = Evidence {
            row: None,
            ..evidence(&exchanges, &row_two, &both)
        };
        assert_eq!(states(&no_row), [None, None]);
        let row_one = row(1, false, None);
        assert_eq!(
            states(&evidence(&exchanges, &row_one, &[])),
            [Some(State::Active), None]
        );
        // The end did not put the live token on the blacklist.
        let ended = row(2, true, Some(RevocationReason::Logout));
        assert_eq!(
            states(&evidence(&exchanges, &ended, &[dead(1, ROTATED)])),
            [Some(State::Ended), None]
        );
    }
}
