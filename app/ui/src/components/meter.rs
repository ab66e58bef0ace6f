//! Length meter of a new password.

use leptos::prelude::*;

use super::erase::text;
use crate::hints::{MinPassword, PasswordHint};

/// The current length of the password, only visual. Reading it out after each key would drown what is typed, and the
/// hint says the same once.
#[component]
pub fn PasswordMeter(
    /// The length of the password so far.
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
            <progress
                class="meter__bar"
                max=min.to_string()
                value=move || meter_value(hint.get(), min)
            ></progress>
            <span class="meter__text">{move || text(hint.get().text(min))}</span>
        </div>
    }
    .into_any()
}

fn meter_value(hint: PasswordHint, min: usize) -> String {
    hint.count().min(min).to_string()
}
