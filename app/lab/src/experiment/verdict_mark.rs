//! How a verdict looks: a word and a shape.

use lab_types::CellVerdict;
use leptos::prelude::*;

use crate::{components::mark, labels};

/// The word and shape of a verdict.
pub fn verdict_mark(verdict: CellVerdict) -> AnyView {
    let class = match verdict {
        CellVerdict::Safe => "mark mark--safe",
        CellVerdict::Exposed => "mark mark--exposed",
        CellVerdict::Survives | CellVerdict::Lost => "mark",
        CellVerdict::NotMeasured => "mark mark--none",
    };
    mark(class, labels::shape(verdict), labels::verdict(verdict))
}
