//! The tree of a live session: each token with the state that the server reports.

use lab_types::live::{Actor, SimulationSnapshot, TokenState, TokenView};

use crate::tree::{Knot, Line};

/// The diagram.
pub fn drawing(play: &SimulationSnapshot) -> String {
    let knots: Vec<Knot> = play.tokens.iter().map(knot).collect();
    crate::tree::drawing(&knots)
}

fn knot(token: &TokenView) -> Knot {
    let is = |states: &[TokenState]| token.state.is_some_and(|state| states.contains(&state));
    let mut lines = vec![Line::plain(state(token))];
    lines.extend(replays(token).map(|words| Line {
        words,
        alarm: token.gave_away,
    }));
    let struck = is(&[TokenState::Displaced, TokenState::Blacklisted, TokenState::Ended]);
    if !token.lost_by.is_empty() {
        lines.push(Line::alarm(format!("lost by {}", hands(&token.lost_by))));
    } else if !struck && !token.holders.is_empty() {
        lines.push(Line::plain(hands(&token.holders)));
    }
    Knot {
        number: token.generation,
        parent: token.parent,
        live: is(&[TokenState::Issued, TokenState::Active]),
        struck,
        alarm: token.gave_away || !token.lost_by.is_empty(),
        lines,
    }
}

/// The state of a token.
pub fn state(token: &TokenView) -> &'static str {
    match token.state {
        Some(TokenState::Issued) => "issued",
        Some(TokenState::Active) => "active",
        Some(TokenState::Rotated) => "rotated",
        Some(TokenState::Superseded) => "superseded",
        Some(TokenState::Displaced) => "displaced",
        Some(TokenState::Blacklisted) => "blacklisted",
        Some(TokenState::Ended) => "ended",
        None => "not known",
    }
}

/// The number of replays, if any.
pub fn replays(token: &TokenView) -> Option<String> {
    match token.replays {
        0 => None,
        1 => Some("replayed".into()),
        times => Some(format!("replayed {times} times")),
    }
}

/// The actors who hold the token.
pub fn hands(hands: &[Actor]) -> String {
    let names: Vec<&str> = hands.iter().map(|hand| name(*hand)).collect();
    names.join(", ")
}

pub fn name(hand: Actor) -> &'static str {
    match hand {
        Actor::Owner => "owner",
        Actor::Thief => "thief",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(state: TokenState) -> TokenView {
        TokenView {
            generation: 1,
            parent: None,
            jti: "0a1b2c3d".into(),
            state: Some(state),
            blacklisted: None,
            replays: 0,
            gave_away: false,
            holders: vec![Actor::Owner],
            lost_by: Vec::new(),
        }
    }

    #[test]
    fn a_live_token_has_a_ring_and_its_holders() {
        let knot = knot(&token(TokenState::Active));
        assert!(knot.live && !knot.struck && !knot.alarm);
        assert_eq!(knot.lines, [Line::plain("active"), Line::plain("owner")]);
    }

    #[test]
    fn what_was_lost_is_struck_out_and_says_by_whom() {
        let lost = TokenView {
            lost_by: vec![Actor::Owner, Actor::Thief],
            ..token(TokenState::Blacklisted)
        };
        let knot = knot(&lost);
        assert!(knot.struck && knot.alarm && !knot.live);
        assert_eq!(
            knot.lines,
            [Line::plain("blacklisted"), Line::alarm("lost by owner, thief")]
        );
    }

    #[test]
    fn a_replay_alarms_only_where_it_gave_the_theft_away() {
        let again = TokenView {
            replays: 2,
            ..token(TokenState::Rotated)
        };
        assert!(!knot(&again).alarm);
        assert_eq!(knot(&again).lines[1], Line::plain("replayed 2 times"));
        let caught = TokenView {
            replays: 1,
            gave_away: true,
            ..token(TokenState::Ended)
        };
        assert!(knot(&caught).alarm);
        assert_eq!(knot(&caught).lines[1], Line::alarm("replayed"));
        let unknown = TokenView {
            state: None,
            ..token(TokenState::Ended)
        };
        assert_eq!(state(&unknown), "not known");
    }
}
