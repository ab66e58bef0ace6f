//! The family as a tree, the oldest token on top. As text, like all diagrams; the table beside it tells how it came about.

use rotation::designs::Serial;

use super::{
    play::{Frame, State},
    words,
};
use crate::components::sequence::{number, text};

const LANE: i32 = 148;
const ROW: i32 = 68;
const RADIUS: i32 = 13;

/// A token's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Node {
    token: Serial,
    parent: Option<(i32, i32)>,
    lane: i32,
    row: i32,
}

impl Node {
    fn place(self) -> (i32, i32) {
        (28 + self.lane * LANE, 30 + self.row * ROW)
    }
}

/// The picture of one moment.
pub fn drawing(frame: &Frame) -> String {
    let nodes = nodes(frame);
    let lanes = nodes.iter().map(|node| node.lane).max().unwrap_or(0) + 1;
    let rows = nodes.iter().map(|node| node.row).max().unwrap_or(0) + 1;
    let edges: String = nodes.iter().map(|&node| edge(node)).collect();
    let drawn: String = nodes.iter().map(|&node| token(frame, node)).collect();
    // Never narrower than two lanes: a lonely chain would be blown up.
    let width = lanes.max(2) * LANE + 8;
    let height = rows.max(3) * ROW;
    // Many lanes are scrolled on a phone, and stay readable.
    let class = if lanes > 2 {
        "diagram diagram--wide"
    } else {
        "diagram"
    };
    format!(
        r#"<svg class="{class}" viewBox="0 0 {width} {height}" role="img" aria-label="The tokens of this login as a tree. The tables below tell the same.">{edges}{drawn}</svg>"#
    )
}

/// The first heir stands below its parent, every other in a lane of its own.
fn nodes(frame: &Frame) -> Vec<Node> {
    let family = &frame.family;
    let mut nodes: Vec<Node> = Vec::new();
    let mut lanes = 0;
    for token in family.serials() {
        let parent = nodes
            .iter()
            .find(|node| family.is_heir(token, node.token))
            .copied();
        let row = i32::from(family.generation(token)) - 1;
        let taken = |lane| nodes.iter().any(|node| node.lane == lane && node.row == row);
        let lane = match parent {
            Some(parent) if !taken(parent.lane) => parent.lane,
            Some(_) => {
                lanes += 1;
                lanes
            }
            None => 0,
        };
        nodes.push(Node {
            token,
            parent: parent.map(Node::place),
            lane,
            row,
        });
    }
    nodes
}

fn edge(node: Node) -> String {
    let (x, y) = node.place();
    match node.parent {
        Some((from, above)) if from == x => {
            format!(r#"<path d="M{x} {}V{}"/>"#, above + RADIUS, y - RADIUS)
        }
        Some((from, above)) => format!(
            r#"<path d="M{from} {}C{from} {middle} {x} {} {x} {}"/>"#,
            above + RADIUS,
            above + 12,
            y - RADIUS,
            middle = y - 6,
        ),
        None => String::new(),
    }
}

fn token(frame: &Frame, node: Node) -> String {
    let (x, y) = node.place();
    let state = frame.state(node.token);
    let mut parts = Vec::new();
    if state == State::Live {
        parts.push(format!(
            r#"<g class="diagram__turn">{}</g>"#,
            ring(x, y, RADIUS + 4, "")
        ));
    }
    // Struck out, as a shape beside the word.
    let strike = matches!(state, State::Dead | State::Displaced);
    parts.push(number(node.token.number().into(), x, y, RADIUS));
    if strike {
        parts.push(format!(
            r#"<path d="M{} {}L{} {}"/>"#,
            x - 12,
            y + 12,
            x + 12,
            y - 12
        ));
    }
    let for_thief = frame.helps_the_thief(node.token);
    if for_thief {
        parts.push(format!(
            r#"<g class="diagram__alarm">{}</g>"#,
            ring(x, y, RADIUS + 9, r#" stroke-dasharray="4 4""#)
        ));
    }
    parts.push(label(frame, node, state, for_thief));
    parts.concat()
}

/// The words beside a token, line by line.
fn label(frame: &Frame, node: Node, state: State, for_thief: bool) -> String {
    let (x, y) = node.place();
    let replayed = frame
        .replayed
        .contains(&node.token)
        .then(|| "replayed".to_owned());
    let holders = Some(words::holders(frame, node.token)).filter(|holders| !holders.is_empty());
    let mut lines: Vec<String> = std::iter::once(words::state(state).to_owned())
        .chain(replayed)
        .chain(holders)
        .collect();
    if for_thief {
        lines.push("good for the thief".into());
    }
    let count = i32::try_from(lines.len()).unwrap_or(1);
    let mut base = y + 4 - 7 * (count - 1);
    let mut label = String::new();
    for (index, line) in lines.iter().enumerate() {
        let line_drawn = text(x + 82, base, line);
        if for_thief && index + 1 == lines.len() {
            label = label + r#"<g class="diagram__alarm">"# + &line_drawn + "</g>";
        } else {
            label.push_str(&line_drawn);
        }
        base += 14;
    }
    label
}

fn ring(x: i32, y: i32, radius: i32, more: &str) -> String {
    let (left, width) = (x - radius, 2 * radius);
    format!(
        r#"<path d="M{left} {y}a{radius} {radius} 0 1 0 {width} 0a{radius} {radius} 0 1 0 -{width} 0"{more}/>"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::theatre::play::{Play, frames};

    fn last(design: &str, steps: &str) -> Frame {
        let play = Play::of_address(Some(design), Some(steps));
        frames(&play).pop().expect("there is always a first one")
    }

    #[test]
    fn no_two_tokens_stand_at_one_place() {
        for steps in ["r1.r2.r3.w5", "r1.r2.r3.r1.r2.r3", "s.r1.t.w5.r1.t.r2.t"] {
            for design in ["Keyturn", "Auth0", "SuperTokens", "SimpleJWT"] {
                let nodes = nodes(&last(design, steps));
                for (index, node) in nodes.iter().enumerate() {
                    assert!(
                        nodes[..index].iter().all(|other| other.place() != node.place()),
                        "{design}: {steps}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_a_thief_can_use_is_said_in_words() {
        let drawing = drawing(&last("Keyturn", "s"));
        assert!(drawing.contains("good for the thief") && drawing.contains("all tabs, thief"));
        let over = super::drawing(&last("Keyturn", "s.t.w3600.r1"));
        assert!(!over.contains("good for the thief") && over.contains(">replayed<"));
    }
}
