//! The tree of a simulated token family. The tables next to it explain how it came about.

use rotation::designs::Serial;

use super::{
    descriptions,
    simulation::{Frame, SimulatedTokenStatus},
};
use crate::token_family::tree::{NodeLabel, TreeNode};

/// The tree of one moment.
pub fn nodes(frame: &Frame) -> Vec<TreeNode> {
    frame.family.serials().map(|token| node(frame, token)).collect()
}

fn node(frame: &Frame, token: Serial) -> TreeNode {
    let status = frame.status(token);
    let for_thief = frame.is_good_for_thief(token);
    let replayed = frame.replayed.contains(&token).then(|| "replayed".to_owned());
    let holders = Some(descriptions::holders(frame, token)).filter(|holders| !holders.is_empty());
    let mut labels = vec![NodeLabel::plain(descriptions::status(status))];
    labels.extend(replayed.into_iter().chain(holders).map(NodeLabel::plain));
    if for_thief {
        labels.push(NodeLabel::alarm("good for the thief"));
    }
    TreeNode {
        number: token.number().into(),
        parent: frame.family.parent(token).map(|parent| parent.number().into()),
        live: status == SimulatedTokenStatus::Live,
        struck: matches!(
            status,
            SimulatedTokenStatus::Dead | SimulatedTokenStatus::Displaced
        ),
        alarm: for_thief,
        labels,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        simulator::{scenario::SimulatorScenario, simulation::frames},
        token_family::tree::drawing,
    };

    fn last(design: &str, steps: &str) -> Frame {
        let scenario = SimulatorScenario::from_query(Some(design), Some(steps));
        frames(&scenario).pop().expect("there is always a first one")
    }

    /// The positions of the circles.
    fn circles(drawing: &str) -> Vec<&str> {
        let places = drawing.split("<circle ").skip(1);
        places.filter_map(|rest| rest.split(" r=").next()).collect()
    }

    #[test]
    fn tokens_do_not_overlap() {
        for steps in ["r1.r2.r3.w5", "r1.r2.r3.r1.r2.r3", "s.r1.t.w5.r1.t.r2.t"] {
            for design in ["Keyturn", "Auth0", "SuperTokens", "SimpleJWT"] {
                let frame = last(design, steps);
                let drawn = drawing(&nodes(&frame));
                let circles = circles(&drawn);
                assert_eq!(circles.len(), frame.family.serials().count());
                for (index, place) in circles.iter().enumerate() {
                    assert!(!circles[..index].contains(place), "{design}: {steps}");
                }
            }
        }
    }

    #[test]
    fn tokens_that_the_thief_can_use_are_labelled() {
        let drawn = |steps| drawing(&nodes(&last("Keyturn", steps)));
        let stolen = drawn("s");
        assert!(stolen.contains("good for the thief") && stolen.contains("all tabs, thief"));
        let revoked = drawn("s.t.w3600.r1");
        assert!(!revoked.contains("good for the thief") && revoked.contains(">replayed<"));
    }
}
