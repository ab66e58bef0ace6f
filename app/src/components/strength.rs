//! How hard a new password would be to guess, and what would make it harder.

use leptos::prelude::*;

use super::erase::text;
use crate::strength::{Score, Verdict};

/// As far as the estimate has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Estimate {
    /// There is nothing to judge yet.
    Waiting,
    Made(Verdict),
    /// What makes it could not be fetched.
    Missing,
}

/// The estimate as a bar and in words. Its room is there from the start, so that nothing below it moves.
#[component]
pub fn StrengthNote(
    /// The estimate.
    estimate: RwSignal<Estimate>,
) -> impl IntoView {
    let score = move || match estimate.get() {
        Estimate::Made(verdict) => Some(verdict.score),
        Estimate::Waiting | Estimate::Missing => None,
    };
    let class = move || match score() {
        Some(Score::Hard | Score::VeryHard) => "meter meter--good",
        Some(Score::VeryEasy | Score::Easy) => "meter meter--alarm",
        Some(Score::Fair) | None => "meter",
    };
    view! {
        <div class="strength">
            <div class=class aria-hidden="true">
                // One more than the score, because an empty bar looks like no answer.
                <progress
                    class="meter__bar"
                    max=(Score::MAX + 1).to_string()
                    value=move || score().map_or(0, |score| score.value() + 1).to_string()
                ></progress>
                <span class="meter__text">{move || text(score().map_or("not judged", Score::text))}</span>
            </div>
            // It changes when the typing pauses, and only if there is something else to say.
            <p class="strength__advice" role="status">{move || said(estimate.get())}</p>
        </div>
    }
    .into_any()
}

fn said(estimate: Estimate) -> AnyView {
    match estimate {
        Estimate::Waiting => text(
            "While you type, this page estimates how hard it would be to guess. Nothing is sent for that.",
        ),
        Estimate::Missing => {
            text("The estimate could not be fetched. It is advice only, so you can go on without it.")
        }
        Estimate::Made(verdict) => {
            let advice = [verdict.warning, verdict.suggestion]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" ");
            let advice = if advice.is_empty() {
                "That is an estimate. It has nothing to suggest.".to_owned()
            } else {
                advice
            };
            view! {
                // The bar says it to the eye.
                <span class="sr-only">{verdict.score.text()} ". "</span>
                {advice}
            }
            .into_any()
        }
    }
}
