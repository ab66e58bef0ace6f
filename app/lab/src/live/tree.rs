//! The tree of a live session: each token with the state that the server reports.

use lab_types::live::{Actor, TokenState, TokenView};

use crate::{
    labels,
    token_family::tree::{NodeLabel, TreeNode},
};

/// A token in the tree.
pub fn node(token: &TokenView) -> TreeNode {
    let is = |states: &[TokenState]| token.state.is_some_and(|state| states.contains(&state));
    let mut lines = vec![NodeLabel::plain(labels::token_state(token.state))];
    lines.extend(replays(token).map(|text| NodeLabel {
        text,
        alarm: token.gave_away,
    }));
    let struck = is(&[TokenState::Displaced, TokenState::Blacklisted, TokenState::Ended]);
    if !token.lost_by.is_empty() {
        lines.push(NodeLabel::alarm(format!("lost by {}", holders(&token.lost_by))));
    } else if !struck && !token.holders.is_empty() {
        lines.push(NodeLabel::plain(holders(&token.holders)));
    }
    TreeNode {
        number: token.generation,
        parent: token.parent,
        live: is(&[TokenState::Issued, TokenState::Active]),
        struck,
        alarm: token.gave_away || !token.lost_by.is_empty(),
        labels: lines,
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
pub fn holders(actors: &[Actor]) -> String {
    let names: Vec<String> = actors
        .iter()
        .map(|actor| labels::actor(*actor).to_ascii_lowercase())
        .collect();
    names.join(", ")
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
        let node = node(&token(TokenState::Active));
        assert!(node.live && !node.struck && !node.alarm);
        assert_eq!(
            node.labels,
            [NodeLabel::plain("active"), NodeLabel::plain("owner")]
        );
    }

    #[test]
    fn a_lost_token_is_struck_out_and_names_who_lost_it() {
        let lost = TokenView {
            lost_by: vec![Actor::Owner, Actor::Thief],
            ..token(TokenState::Blacklisted)
        };
        let node = node(&lost);
        assert!(node.struck && node.alarm && !node.live);
        assert_eq!(
            node.labels,
            [
                NodeLabel::plain("blacklisted"),
                NodeLabel::alarm("lost by owner, thief")
            ]
        );
    }

    #[test]
    fn a_replay_raises_an_alarm_only_if_it_revealed_reuse() {
        let again = TokenView {
            replays: 2,
            ..token(TokenState::Rotated)
        };
        assert!(!node(&again).alarm);
        assert_eq!(node(&again).labels[1], NodeLabel::plain("replayed 2 times"));
        let caught = TokenView {
            replays: 1,
            gave_away: true,
            ..token(TokenState::Ended)
        };
        assert!(node(&caught).alarm);
        assert_eq!(node(&caught).labels[1], NodeLabel::alarm("replayed"));
    }
}
