//! Strength meter: whether a new password would be accepted, how hard it is to guess, and what would make it harder.

use leptos::prelude::*;

use super::erase::text;
use crate::strength::{Advice, PasswordVerdict, Score};

/// The state of the estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Estimate {
    /// There is nothing to judge yet.
    Waiting,
    Made(PasswordVerdict),
    /// The part of the app that makes the estimate could not be fetched.
    Missing,
}

/// The estimate as a bar and in words. Its space is reserved from the start, so that nothing below it moves.
#[component]
pub fn StrengthNote(
    /// The estimate.
    estimate: RwSignal<Estimate>,
) -> impl IntoView {
    let class = move || match estimate.get() {
        Estimate::Made(PasswordVerdict::Refused(_)) => "meter meter--alarm",
        Estimate::Made(PasswordVerdict::Accepted(advice)) => match advice.score {
            Score::Hard | Score::VeryHard => "meter meter--good",
            Score::VeryEasy | Score::Easy => "meter meter--alarm",
            Score::Fair => "meter",
        },
        Estimate::Waiting | Estimate::Missing => "meter",
    };
    // One more than the score, because an empty bar would look like a missing estimate.
    let fill = move || match estimate.get() {
        Estimate::Made(PasswordVerdict::Accepted(advice)) => advice.score.value() + 1,
        Estimate::Made(PasswordVerdict::Refused(_)) | Estimate::Waiting | Estimate::Missing => 0,
    };
    let name = move || match estimate.get() {
        Estimate::Made(verdict) => name_of(verdict),
        Estimate::Waiting | Estimate::Missing => "not judged",
    };
    view! {
        <div class="strength">
            <div class=class aria-hidden="true">
                <progress
                    class="meter__bar"
                    max=(Score::MAX + 1).to_string()
                    value=move || fill().to_string()
                ></progress>
                <span class="meter__text">{move || text(name())}</span>
            </div>
            // The text changes when the typing pauses, and only if there is something else to say.
            <p class="strength__advice" role="status">
                {move || estimate_text(estimate.get())}
            </p>
        </div>
    }
    .into_any()
}

fn estimate_text(estimate: Estimate) -> AnyView {
    match estimate {
        Estimate::Waiting => text(
            "While you type, this page estimates how hard it would be to guess. Nothing is sent for that.",
        ),
        Estimate::Missing => {
            text("The estimate could not be fetched. The server judges the password when you send it.")
        }
        Estimate::Made(verdict) => {
            let sentence = match verdict {
                // The server's own sentence, so that the page says the same before and after the form is sent.
                PasswordVerdict::Refused(refusal) => refusal.sentence(),
                PasswordVerdict::Accepted(advice) => advice_of(advice),
            };
            view! {
                // The bar shows the same visually.
                <span class="sr-only">{name_of(verdict)} ". "</span>
                {sentence}
            }
            .into_any()
        }
    }
}

/// The verdict in a few words.
fn name_of(verdict: PasswordVerdict) -> &'static str {
    match verdict {
        PasswordVerdict::Refused(_) => "Not accepted",
        PasswordVerdict::Accepted(advice) => advice.score.text(),
    }
}

fn advice_of(advice: Advice) -> String {
    let parts: Vec<_> = [advice.warning, advice.suggestion]
        .into_iter()
        .flatten()
        .collect();
    if parts.is_empty() {
        "That is an estimate. It has nothing to suggest.".to_owned()
    } else {
        parts.join(" ")
    }
}
