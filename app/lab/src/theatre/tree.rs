//! The tree of a simulated token family. The tables next to it explain how it came about.

use rotation::designs::Serial;

use super::{
    play::{Frame, State},
    words,
};
use crate::tree::{Knot, Line};

/// The diagram of one moment.
pub fn drawing(frame: &Frame) -> String {
    crate::tree::drawing(&knots(frame))
}

fn knots(frame: &Frame) -> Vec<Knot> {
    frame.family.serials().map(|token| knot(frame, token)).collect()
}

fn knot(frame: &Frame, token: Serial) -> Knot {
    let state = frame.state(token);
    let for_thief = frame.helps_the_thief(token);
    let replayed = frame.replayed.contains(&token).then(|| "replayed".to_owned());
    let holders = Some(words::holders(frame, token)).filter(|holders| !holders.is_empty());
    let mut lines = vec![Line::plain(words::state(state))];
    lines.extend(replayed.into_iter().chain(holders).map(Line::plain));
    if for_thief {
        lines.push(Line::alarm("good for the thief"));
    }
    Knot {
        number: token.number().into(),
        parent: frame.family.parent(token).map(|parent| parent.number().into()),
        live: state == State::Live,
        struck: matches!(state, State::Dead | State::Displaced),
        alarm: for_thief,
        lines,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theatre::play::{Play, frames};

    fn last(design: &str, steps: &str) -> Frame {
        let play = Play::of_address(Some(design), Some(steps));
        frames(&play).pop().expect("there is always a first one")
    }

    /// The positions of the circles.
    fn circles(drawing: &str) -> Vec<&str> {
        let places = drawing.split("<circle ").skip(1);
        places.filter_map(|rest| rest.split(" r=").next()).collect()
    }

    #[test]
    fn no_two_tokens_stand_at_one_place() {
        for steps in ["r1.r2.r3.w5", "r1.r2.r3.r1.r2.r3", "s.r1.t.w5.r1.t.r2.t"] {
            for design in ["Keyturn", "Auth0", "SuperTokens", "SimpleJWT"] {
                let frame = last(design, steps);
                let drawn = drawing(&frame);
                let circles = circles(&drawn);
                assert_eq!(circles.len(), frame.family.serials().count());
                for (index, place) in circles.iter().enumerate() {
                    assert!(!circles[..index].contains(place), "{design}: {steps}");
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
