//! How a verdict looks: a word and a shape.

use lab_types::Verdict;
use leptos::prelude::*;
use ui::components::Icon;

use super::words;

/// The word and shape of a verdict.
pub fn mark(verdict: Verdict) -> AnyView {
    let class = match verdict {
        Verdict::Safe => "mark mark--safe",
        Verdict::Exposed => "mark mark--exposed",
        Verdict::Survives | Verdict::Lost => "mark",
        Verdict::NotMeasured => "mark mark--none",
    };
    view! {
        <span class=class>
            <Icon shape=words::shape(verdict) />
            {words::verdict(verdict)}
        </span>
    }
    .into_any()
}
