//! Derives the tokens and their states from the responses and the tables. Pure: no queries here.

use api_types::problem::ProblemCode;
use lab_types::live::{Actor, HeldTokens, TokenState, TokenView};
use rotation::{Generation, Jti, Session};
use store::blacklist::{BlacklistedToken, ROTATED};

use super::client::PerActor;

/// The number of shown characters of an id, enough to distinguish the ids of a session. Taken from the end, because the
/// beginning is a time.
const SHOWN: usize = 8;

/// A request with a refresh token and its response, or the sign-in.
#[derive(Debug, Clone)]
pub(super) struct TokenExchange {
    pub(super) sent: Option<Generation>,
    /// The refresh token that the response set, whether or not the response arrived.
    pub(super) given: Option<(Generation, Jti)>,
    pub(super) code: Option<ProblemCode>,
    /// Whether the access token of that response was accepted afterwards.
    pub(super) used: bool,
}

/// All evidence about a session.
#[derive(Debug, Clone, Copy)]
pub(super) struct SessionEvidence<'a> {
    /// Oldest first.
    pub(super) exchanges: &'a [TokenExchange],
    pub(super) row: Option<&'a Session>,
    pub(super) blacklist: &'a [BlacklistedToken],
    pub(super) held: PerActor<HeldTokens>,
    /// Which tokens everyone held when the session ended, if it did.
    pub(super) held_at_end: Option<PerActor<HeldTokens>>,
}

/// The tokens that were issued, oldest first.
pub(super) fn tokens(evidence: &SessionEvidence<'_>) -> Vec<TokenView> {
    let mut tokens: Vec<TokenView> = Vec::new();
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

fn minted(
    evidence: &SessionEvidence<'_>,
    generation: Generation,
    jti: Jti,
    parent: Option<u32>,
) -> TokenView {
    let number = generation.number();
    let entry = evidence.blacklist.iter().find(|entry| entry.jti == jti);
    let lost_by = evidence.held_at_end.map_or_else(Vec::new, |held| {
        holders(held, |held| {
            held.refresh == Some(number) || held.access == Some(number)
        })
    });
    TokenView {
        generation: number,
        parent,
        jti: short(jti),
        state: state(evidence, generation, jti),
        blacklisted: entry.map(|entry| entry.reason.clone()),
        replays: 0,
        gave_away: false,
        holders: holders(evidence.held, |held| held.refresh == Some(number)),
        lost_by,
    }
}

/// The state of a token according to the rows; `None` if the rows contradict each other.
fn state(evidence: &SessionEvidence<'_>, generation: Generation, jti: Jti) -> Option<TokenState> {
    let row = evidence.row?;
    let is_live_token = row.live_token.jti == jti && row.live_token.generation == generation;
    let entry = evidence.blacklist.iter().find(|entry| entry.jti == jti);
    let was_rotated = entry.is_some_and(|entry| entry.reason == ROTATED);
    match (row.revocation, entry) {
        (None, None) if is_live_token => {
            let mut exchanges = evidence.exchanges.iter();
            let used = exchanges.any(|exchange| {
                exchange.used && exchange.given.is_some_and(|(given, _)| given == generation)
            });
            Some(if row.confirmed_at.is_some() || used {
                TokenState::Active
            } else {
                TokenState::Issued
            })
        }
        (None, Some(_)) if !is_live_token && was_rotated => Some(if row.previous_jti == Some(jti) {
            TokenState::Rotated
        } else {
            TokenState::Superseded
        }),
        (Some(ended), Some(entry)) if is_live_token && entry.reason == ended.reason.as_str() => {
            Some(TokenState::Blacklisted)
        }
        (Some(_), Some(_)) if !is_live_token && was_rotated => Some(TokenState::Ended),
        _ => None,
    }
}

/// Those who hold a token that matches.
pub(super) fn holders(held: PerActor<HeldTokens>, which: impl Fn(HeldTokens) -> bool) -> Vec<Actor> {
    held.into_iter()
        .filter(|(_, held)| which(*held))
        .map(|(actor, _)| actor)
        .collect()
}

/// The part of an id that is shown.
pub(super) fn short(jti: Jti) -> String {
    let text = jti.to_string();
    text.get(text.len().saturating_sub(SHOWN)..)
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

    fn sign_in() -> TokenExchange {
        TokenExchange {
            sent: None,
            given: Some(token(1)),
            code: None,
            used: true,
        }
    }

    fn renewal(sent: u8, got: u8, used: bool) -> TokenExchange {
        TokenExchange {
            sent: Some(generation(sent)),
            given: Some(token(got)),
            used,
            ..sign_in()
        }
    }

    fn refusal(sent: u8, code: ProblemCode) -> TokenExchange {
        TokenExchange {
            sent: Some(generation(sent)),
            given: None,
            code: Some(code),
            used: false,
        }
    }

    /// A row whose live token has this generation.
    fn row(live: u8, confirmed: bool, ended: Option<RevocationReason>) -> Session {
        Session {
            id: SessionId::new(NOW, [0; 10]),
            user_id: UserId::new(NOW, [0; 10]),
            token_epoch: 0,
            live_token: LiveToken {
                jti: jti(live),
                generation: generation(live),
                issued_at: NOW,
                expires_at: NOW,
                kid: KeyId::new("k"),
            },
            previous_jti: (live > 1).then(|| jti(live - 1)),
            rotated_at: NOW,
            confirmed_at: confirmed.then_some(NOW),
            absolute_expires_at: NOW,
            created_at: NOW,
            last_used_at: NOW,
            remember: false,
            revocation: ended.map(|reason| Revocation { at: NOW, reason }),
        }
    }

    fn entry(number: u8, reason: &str) -> BlacklistedToken {
        BlacklistedToken {
            jti: jti(number),
            generation: generation(number),
            reason: reason.to_owned(),
        }
    }

    fn evidence<'a>(
        exchanges: &'a [TokenExchange],
        row: &'a Session,
        blacklist: &'a [BlacklistedToken],
    ) -> SessionEvidence<'a> {
        let nothing = HeldTokens::default();
        SessionEvidence {
            exchanges,
            row: Some(row),
            blacklist,
            held: [(Actor::Owner, nothing), (Actor::Thief, nothing)],
            held_at_end: None,
        }
    }

    fn states(evidence: &SessionEvidence<'_>) -> Vec<Option<TokenState>> {
        tokens(evidence).into_iter().map(|token| token.state).collect()
    }

    #[test]
    fn a_chain_is_active_at_its_end_and_spent_before() {
        let exchanges = [sign_in(), renewal(1, 2, true), renewal(2, 3, true)];
        let blacklist = [entry(1, ROTATED), entry(2, ROTATED)];
        let row = row(3, true, None);
        let evidence = evidence(&exchanges, &row, &blacklist);
        assert_eq!(
            states(&evidence),
            [
                Some(TokenState::Superseded),
                Some(TokenState::Rotated),
                Some(TokenState::Active)
            ]
        );
        let tokens = tokens(&evidence);
        let parents: Vec<_> = tokens.iter().map(|token| token.parent).collect();
        assert_eq!(parents, [None, Some(1), Some(2)]);
        assert_eq!(tokens[0].blacklisted.as_deref(), Some("rotated"));
        assert_eq!(tokens[2].blacklisted, None);
        assert_eq!(tokens[0].jti.len(), SHOWN);
    }

    #[test]
    fn a_token_is_active_once_it_was_seen_in_use() {
        let unused = [TokenExchange {
            used: false,
            ..sign_in()
        }];
        let first = row(1, false, None);
        assert_eq!(
            states(&evidence(&unused, &first, &[])),
            [Some(TokenState::Issued)]
        );
        assert_eq!(
            states(&evidence(&[sign_in()], &first, &[])),
            [Some(TokenState::Active)]
        );
        // Another client's request may have confirmed it.
        let lost = [sign_in(), renewal(1, 2, false)];
        let blacklist = [entry(1, ROTATED)];
        for (confirmed, state) in [(false, TokenState::Issued), (true, TokenState::Active)] {
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
        let blacklist = [entry(1, ROTATED), entry(2, ROTATED)];
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
        let blacklist = [entry(1, ROTATED), entry(2, "reuse_detected")];
        let row = row(2, true, Some(RevocationReason::ReuseDetected));
        let owner = HeldTokens {
            refresh: Some(1),
            access: Some(1),
        };
        let thief = HeldTokens {
            refresh: Some(2),
            access: Some(2),
        };
        let tokens = tokens(&SessionEvidence {
            held: [(Actor::Owner, HeldTokens::default()), (Actor::Thief, thief)],
            held_at_end: Some([(Actor::Owner, owner), (Actor::Thief, thief)]),
            ..evidence(&exchanges, &row, &blacklist)
        });
        assert_eq!(tokens[0].state, Some(TokenState::Ended));
        assert!(tokens[0].gave_away && tokens[0].replays == 1);
        assert_eq!(tokens[0].lost_by, [Actor::Owner]);
        assert!(tokens[0].holders.is_empty());
        assert_eq!(tokens[1].state, Some(TokenState::Blacklisted));
        assert_eq!(tokens[1].blacklisted.as_deref(), Some("reuse_detected"));
        assert_eq!(tokens[1].lost_by, [Actor::Thief]);
        assert_eq!(tokens[1].holders, [Actor::Thief]);
        // A refusal after the end is not a replay.
        assert_eq!(tokens[1].replays, 0);
    }

    #[test]
    fn what_the_rows_do_not_support_is_not_said() {
        let exchanges = [sign_in(), renewal(1, 2, true)];
        let both = [entry(1, ROTATED), entry(2, ROTATED)];
        let row_two = row(2, true, None);
        // The live token is on the blacklist, its parent is not, the row is missing, or the row is older than the
        // issued token.
        assert_eq!(
            states(&evidence(&exchanges, &row_two, &both)),
            [Some(TokenState::Rotated), None]
        );
        assert_eq!(
            states(&evidence(&exchanges, &row_two, &[])),
            [None, Some(TokenState::Active)]
        );
        let no_row = SessionEvidence {
            row: None,
            ..evidence(&exchanges, &row_two, &both)
        };
        assert_eq!(states(&no_row), [None, None]);
        let row_one = row(1, false, None);
        assert_eq!(
            states(&evidence(&exchanges, &row_one, &[])),
            [Some(TokenState::Active), None]
        );
        // The end did not put the live token on the blacklist.
        let ended = row(2, true, Some(RevocationReason::Logout));
        assert_eq!(
            states(&evidence(&exchanges, &ended, &[entry(1, ROTATED)])),
            [Some(TokenState::Ended), None]
        );
    }
}
