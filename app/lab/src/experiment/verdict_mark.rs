//! How a verdict looks: a word and a shape.

use lab_types::Verdict;
use leptos::prelude::*;

use crate::{components::mark, labels};

/// The word and shape of a verdict.
pub fn verdict_mark(verdict: Verdict) -> AnyView {
    let class = match verdict {
        Verdict::Safe => "mark mark--safe",
        Verdict::Exposed => "mark mark--exposed",
        Verdict::Survives | Verdict::Lost => "mark",
        Verdict::NotMeasured => "mark mark--none",
    };
    mark(class, labels::shape(verdict), labels::verdict(verdict))
}
