//! Draws a token family as a tree, the oldest token on top. As text, like all diagrams; a table next to it shows the
//! same.

use ui::components::sequence::{number, text};

const LANE: i32 = 148;
const ROW: i32 = 68;
const RADIUS: i32 = 13;

/// A token in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Knot {
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
    pub lines: Vec<Line>,
}

/// A few words next to a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub words: String,
    pub alarm: bool,
}

impl Line {
    pub fn plain(words: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            alarm: false,
        }
    }

    pub fn alarm(words: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            alarm: true,
        }
    }
}

/// The position of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Node {
    number: u32,
    /// The position of its parent.
    parent: Option<(i32, i32)>,
    lane: i32,
    row: i32,
}

impl Node {
    fn place(self) -> (i32, i32) {
        (28 + self.lane * LANE, 30 + self.row * ROW)
    }
}

/// The diagram.
pub fn drawing(knots: &[Knot]) -> String {
    let nodes = nodes(knots);
    let lanes = nodes.iter().map(|node| node.lane).max().unwrap_or(0) + 1;
    let rows = nodes.iter().map(|node| node.row).max().unwrap_or(0) + 1;
    let edges: String = nodes.iter().map(|&node| edge(node)).collect();
    let drawn: String = nodes
        .iter()
        .zip(knots)
        .map(|(node, knot)| token(*node, knot))
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
fn nodes(knots: &[Knot]) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    let mut lanes = 0;
    for knot in knots {
        let parent = nodes
            .iter()
            .find(|node| Some(node.number) == knot.parent)
            .copied();
        let row = parent.map_or(0, |parent| parent.row + 1);
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
            number: knot.number,
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

fn token(node: Node, knot: &Knot) -> String {
    let (x, y) = node.place();
    let mut parts = Vec::new();
    if knot.live {
        parts.push(format!(
            r#"<g class="diagram__turn">{}</g>"#,
            ring(x, y, RADIUS + 4, "")
        ));
    }
    parts.push(number(node.number.into(), x, y, RADIUS));
    // As a shape next to the word, so that the number remains readable.
    if knot.struck {
        parts.push(format!(
            r#"<path d="M{} {}l9 -9M{} {}l9 -9"/>"#,
            x - 15,
            y + 15,
            x + 6,
            y - 6
        ));
    }
    if knot.alarm {
        parts.push(format!(
            r#"<g class="diagram__alarm">{}</g>"#,
            ring(x, y, RADIUS + 9, r#" stroke-dasharray="4 4""#)
        ));
    }
    parts.push(label(x + 82, y, &knot.lines));
    parts.concat()
}

fn label(x: i32, y: i32, lines: &[Line]) -> String {
    let count = i32::try_from(lines.len()).unwrap_or(1);
    let mut base = y + 4 - 7 * (count - 1);
    let mut label = String::new();
    for line in lines {
        let line_drawn = text(x, base, &line.words);
        if line.alarm {
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

    fn knot(number: u32, parent: Option<u32>) -> Knot {
        Knot {
            number,
            parent,
            live: false,
            struck: false,
            alarm: false,
            lines: vec![Line::plain("rotated")],
        }
    }

    #[test]
    fn a_line_stands_in_one_lane_and_a_fork_in_two() {
        let family = [
            knot(1, None),
            knot(2, Some(1)),
            knot(3, Some(1)),
            knot(4, Some(2)),
            knot(5, Some(3)),
        ];
        let places: Vec<_> = nodes(&family)
            .into_iter()
            .map(|node| (node.lane, node.row))
            .collect();
        assert_eq!(places, [(0, 0), (0, 1), (1, 1), (0, 2), (1, 2)]);
    }

    #[test]
    fn shapes_go_with_the_words() {
        let plain = drawing(&[knot(1, None)]);
        assert!(!plain.contains("diagram__turn") && !plain.contains("diagram__alarm"));
        let hurt = Knot {
            live: true,
            struck: true,
            alarm: true,
            lines: vec![Line::plain("ended"), Line::alarm("lost by the owner")],
            ..knot(1, None)
        };
        let drawn = drawing(&[hurt]);
        assert_eq!(drawn.matches("diagram__turn").count(), 1);
        // The ring and the words.
        assert_eq!(drawn.matches("diagram__alarm").count(), 2);
        assert!(drawn.contains(">lost by the owner<"));
    }
}
