//! Draws a token family as a tree, the oldest token on top. As text, like all diagrams; a table next to it shows the
//! same.

use ui::components::sequence::{number, text};

const LANE: i32 = 148;
const ROW: i32 = 68;
const RADIUS: i32 = 13;

/// A token in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeNode {
    pub number: u32,
    /// The number of the token that was exchanged for this one, which comes before it.
    pub parent: Option<u32>,
    /// It would be rotated: drawn as a ring.
    pub live: bool,
    /// It is worthless because of another token: struck out.
    pub struck: bool,
    /// It harms someone: drawn with an alarm ring.
    pub alarm: bool,
    /// The text next to it, line by line.
    pub labels: Vec<NodeLabel>,
}

/// A few words next to a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeLabel {
    pub text: String,
    pub alarm: bool,
}

impl NodeLabel {
    pub fn plain(words: impl Into<String>) -> Self {
        Self {
            text: words.into(),
            alarm: false,
        }
    }

    pub fn alarm(words: impl Into<String>) -> Self {
        Self {
            text: words.into(),
            alarm: true,
        }
    }
}

/// The position of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct NodePosition {
    number: u32,
    /// The position of its parent.
    parent: Option<(i32, i32)>,
    lane: i32,
    row: i32,
}

impl NodePosition {
    fn place(self) -> (i32, i32) {
        (28 + self.lane * LANE, 30 + self.row * ROW)
    }
}

/// The diagram.
pub fn drawing(nodes: &[TreeNode]) -> String {
    let positions = positions(nodes);
    let lanes = positions.iter().map(|position| position.lane).max().unwrap_or(0) + 1;
    let rows = positions.iter().map(|position| position.row).max().unwrap_or(0) + 1;
    let edges: String = positions.iter().map(|&position| edge(position)).collect();
    let drawn: String = positions
        .iter()
        .zip(nodes)
        .map(|(position, node)| token(*position, node))
        .collect();
    // Never narrower than two lanes: a single chain would be enlarged too much.
    let width = lanes.max(2) * LANE + 8;
    let height = rows.max(3) * ROW;
    // Many lanes scroll on a phone, and stay readable.
    let class = if lanes > 2 {
        "diagram diagram--wide"
    } else {
        "diagram"
    };
    format!(
        r#"<svg class="{class}" viewBox="0 0 {width} {height}" role="img" aria-label="The tokens of this login as a tree. The tables below tell the same.">{edges}{drawn}</svg>"#
    )
}

/// The first successor is below its parent; every other one gets a separate lane.
fn positions(nodes: &[TreeNode]) -> Vec<NodePosition> {
    let mut positions: Vec<NodePosition> = Vec::new();
    let mut lanes = 0;
    for node in nodes {
        let parent = positions
            .iter()
            .find(|position| Some(position.number) == node.parent)
            .copied();
        let row = parent.map_or(0, |parent| parent.row + 1);
        let taken = |lane| {
            positions
                .iter()
                .any(|position| position.lane == lane && position.row == row)
        };
        let lane = match parent {
            Some(parent) if !taken(parent.lane) => parent.lane,
            Some(_) => {
                lanes += 1;
                lanes
            }
            None => 0,
        };
        positions.push(NodePosition {
            number: node.number,
            parent: parent.map(NodePosition::place),
            lane,
            row,
        });
    }
    positions
}

fn edge(position: NodePosition) -> String {
    let (x, y) = position.place();
    match position.parent {
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

fn token(position: NodePosition, node: &TreeNode) -> String {
    let (x, y) = position.place();
    let mut parts = Vec::new();
    if node.live {
        parts.push(format!(
            r#"<g class="diagram__turn">{}</g>"#,
            ring(x, y, RADIUS + 4, "")
        ));
    }
    parts.push(number(position.number.into(), x, y, RADIUS));
    // As a shape next to the word, so that the number remains readable.
    if node.struck {
        parts.push(format!(
            r#"<path d="M{} {}l9 -9M{} {}l9 -9"/>"#,
            x - 15,
            y + 15,
            x + 6,
            y - 6
        ));
    }
    if node.alarm {
        parts.push(format!(
            r#"<g class="diagram__alarm">{}</g>"#,
            ring(x, y, RADIUS + 9, r#" stroke-dasharray="4 4""#)
        ));
    }
    parts.push(label_block(x + 82, y, &node.labels));
    parts.concat()
}

fn label_block(x: i32, y: i32, labels: &[NodeLabel]) -> String {
    let count = i32::try_from(labels.len()).unwrap_or(1);
    let first = y + 4 - 7 * (count - 1);
    let drawn = (0..).zip(labels).map(|(row, label)| {
        let drawn = text(x, first + 14 * row, &label.text);
        if label.alarm {
            format!(r#"<g class="diagram__alarm">{drawn}</g>"#)
        } else {
            drawn
        }
    });
    drawn.collect()
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

    fn node(number: u32, parent: Option<u32>) -> TreeNode {
        TreeNode {
            number,
            parent,
            live: false,
            struck: false,
            alarm: false,
            labels: vec![NodeLabel::plain("rotated")],
        }
    }

    #[test]
    fn a_chain_uses_one_lane_and_a_fork_two() {
        let family = [
            node(1, None),
            node(2, Some(1)),
            node(3, Some(1)),
            node(4, Some(2)),
            node(5, Some(3)),
        ];
        let places: Vec<_> = positions(&family)
            .into_iter()
            .map(|position| (position.lane, position.row))
            .collect();
        assert_eq!(places, [(0, 0), (0, 1), (1, 1), (0, 2), (1, 2)]);
    }

    #[test]
    fn marked_tokens_have_shapes() {
        let plain = drawing(&[node(1, None)]);
        assert!(!plain.contains("diagram__turn") && !plain.contains("diagram__alarm"));
        let hurt = TreeNode {
            live: true,
            struck: true,
            alarm: true,
            labels: vec![NodeLabel::plain("ended"), NodeLabel::alarm("lost by the owner")],
            ..node(1, None)
        };
        let drawn = drawing(&[hurt]);
        assert_eq!(drawn.matches("diagram__turn").count(), 1);
        // The ring and the words.
        assert_eq!(drawn.matches("diagram__alarm").count(), 2);
        assert!(drawn.contains(">lost by the owner<"));
    }
}
