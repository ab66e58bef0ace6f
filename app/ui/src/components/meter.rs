//! How long a new password is by now.

use leptos::prelude::*;

use super::erase::text;
use crate::hints::{MinPassword, PasswordHint};

/// How long the password is by now. For the eye alone: read out after each key it would drown what is typed, and the
/// hint says the same once.
#[component]
pub fn PasswordMeter(
    /// What is known of the password.
    hint: RwSignal<PasswordHint>,
) -> impl IntoView {
    let min = MinPassword::get();
    let class = move || match hint.get() {
        PasswordHint::LongEnough(_) => "meter meter--good",
        PasswordHint::TooLong(_) => "meter meter--alarm",
        PasswordHint::Empty | PasswordHint::Short(_) => "meter",
    };
    view! {
        <div class=class aria-hidden="true">
            <progress class="meter__bar" max=min.to_string() value=move || meter_value(hint.get(), min)></progress>
            <span class="meter__text">{move || text(hint.get().text(min))}</span>
        </div>
    }
    .into_any()
}

fn meter_value(hint: PasswordHint, min: usize) -> String {
    hint.count().min(min).to_string()
}
