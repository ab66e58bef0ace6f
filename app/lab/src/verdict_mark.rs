//! How a verdict looks: a word and a shape.

use lab_types::CellVerdict;
use leptos::prelude::*;
use ui::components::Icon;

use super::words;

/// The word and shape of a verdict.
pub fn mark(verdict: CellVerdict) -> AnyView {
    let class = match verdict {
        CellVerdict::Safe => "mark mark--safe",
        CellVerdict::Exposed => "mark mark--exposed",
        CellVerdict::Survives | CellVerdict::Lost => "mark",
        CellVerdict::NotMeasured => "mark mark--none",
    };
    view! {
        <span class=class>
            <Icon shape=words::shape(verdict) />
            {words::verdict(verdict)}
        </span>
    }
    .into_any()
}
