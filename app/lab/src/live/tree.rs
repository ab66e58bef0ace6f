//! The tree of a live session: each token with the state that the server reports.

use lab_types::live::{Hand, Play, State, Token};

use crate::{
    tree::{Knot, Line},
    words::token_state,
};

/// The diagram.
pub fn drawing(play: &Play) -> String {
    let knots: Vec<Knot> = play.tokens.iter().map(knot).collect();
    crate::tree::drawing(&knots)
}

fn knot(token: &Token) -> Knot {
    let is = |states: &[State]| token.state.is_some_and(|state| states.contains(&state));
    let mut lines = vec![Line::plain(token_state(token.state))];
    lines.extend(replays(token).map(|words| Line {
        words,
        alarm: token.gave_away,
    }));
    let struck = is(&[State::Displaced, State::Blacklisted, State::Ended]);
    if !token.lost_by.is_empty() {
        lines.push(Line::alarm(format!("lost by {}", hands(&token.lost_by))));
    } else if !struck && !token.holders.is_empty() {
        lines.push(Line::plain(hands(&token.holders)));
    }
    Knot {
        number: token.generation,
        parent: token.parent,
        live: is(&[State::Issued, State::Active]),
        struck,
        alarm: token.gave_away || !token.lost_by.is_empty(),
        lines,
    }
}

/// The number of replays, if any.
pub fn replays(token: &Token) -> Option<String> {
    match token.replays {
        0 => None,
        1 => Some("replayed".into()),
        times => Some(format!("replayed {times} times")),
    }
}

/// The actors who hold the token.
pub fn hands(hands: &[Hand]) -> String {
    let names: Vec<&str> = hands.iter().map(|hand| name(*hand)).collect();
    names.join(", ")
}

pub fn name(hand: Hand) -> &'static str {
    match hand {
        Hand::Owner => "owner",
        Hand::Thief => "thief",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(state: State) -> Token {
        Token {
            generation: 1,
            parent: None,
            jti: "0a1b2c3d".into(),
            state: Some(state),
            blacklisted: None,
            replays: 0,
            gave_away: false,
            holders: vec![Hand::Owner],
            lost_by: Vec::new(),
        }
    }

    #[test]
    fn a_live_token_has_a_ring_and_its_holders() {
        let knot = knot(&token(State::Active));
        assert!(knot.live && !knot.struck && !knot.alarm);
        assert_eq!(knot.lines, [Line::plain("active"), Line::plain("owner")]);
    }

    #[test]
    fn what_was_lost_is_struck_out_and_says_by_whom() {
        let lost = Token {
            lost_by: vec![Hand::Owner, Hand::Thief],
            ..token(State::Blacklisted)
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
        let again = Token {
            replays: 2,
            ..token(State::Rotated)
        };
        assert!(!knot(&again).alarm);
        assert_eq!(knot(&again).lines[1], Line::plain("replayed 2 times"));
        let caught = Token {
            replays: 1,
            gave_away: true,
            ..token(State::Ended)
        };
        assert!(knot(&caught).alarm);
        assert_eq!(knot(&caught).lines[1], Line::alarm("replayed"));
        let unknown = Token {
            state: None,
            ..token(State::Ended)
        };
        assert_eq!(token_state(unknown.state), "not known");
    }
}
