//! The field for a new password: its length, and how hard it is to guess.

use std::time::Duration;

use leptos::{html, leptos_dom::helpers::TimeoutHandle, prelude::*, task::spawn_local};
use ui::{
    components::{Estimate, FieldError, PasswordField, PasswordMeter, StrengthNote},
    hints::{MinPassword, PasswordHint, length_rule},
    strength::PasswordContext,
};

use super::strength_part;

/// The estimate waits for a pause in typing: it takes a moment, and is read out.
const PAUSE: Duration = Duration::from_millis(400);

/// A field with advice, which never prevents sending the form.
#[component]
pub fn NewPasswordField(
    /// The label's text, which is also the field's accessible name.
    #[prop(default = "Password")]
    label: &'static str,
    /// The JSON field name.
    #[prop(default = "password")]
    name: &'static str,
    /// The caller reads the value and sets the focus through this reference.
    node: NodeRef<html::Input>,
    /// The error of this field, if any.
    error: FieldError,
    /// Whether the characters are visible.
    shown: RwSignal<bool>,
    /// The length of the password so far. The caller resets it together with the field.
    hint: RwSignal<PasswordHint>,
    /// The person who chooses the password; read for each estimate. If it is tracked, each change triggers a new
    /// estimate.
    person: Callback<(), PasswordContext>,
) -> impl IntoView {
    let min = MinPassword::get();
    let estimate = RwSignal::new(Estimate::Waiting);
    let say = move |news: Estimate| {
        if estimate.try_get_untracked().is_some_and(|now| now != news) {
            estimate.try_set(news);
        }
    };
    let judge = move || {
        let Some(input) = node.try_get_untracked().flatten() else {
            return;
        };
        let password = input.value();
        if password.is_empty() {
            return;
        }
        spawn_local(async move {
            let verdict = strength_part::judge(password.clone(), untrack(move || person.run(())), min).await;
            // The text may have changed while the estimator was fetched; then the next pause triggers an estimate.
            if input.value() == password {
                say(verdict.map_or(Estimate::Missing, Estimate::Made));
            }
        });
    };
    let pause = StoredValue::new(None::<TimeoutHandle>);
    let stop = move || {
        if let Some(pause) = pause.try_update_value(Option::take).flatten() {
            pause.clear();
        }
    };
    on_cleanup(stop);
    let on_text = Callback::new(move |text: String| {
        hint.set(PasswordHint::of(&text, min));
        stop();
        pause.set_value(set_timeout_with_handle(judge, PAUSE).ok());
    });
    // A password manager may have filled the field before the app ran.
    Effect::new(move |_| {
        if let Some(input) = node.get().filter(|input| !input.value().is_empty()) {
            on_text.run(input.value());
        }
    });
    Effect::new(move |known: Option<PasswordContext>| {
        let person = person.run(());
        if known.is_some_and(|known| known != person) {
            stop();
            pause.set_value(set_timeout_with_handle(judge, PAUSE).ok());
        }
        person
    });
    Effect::new(move |_| {
        if hint.get() == PasswordHint::Empty {
            say(Estimate::Waiting);
        }
    });
    view! {
        // A person who focuses the field will type, so the estimator is fetched early.
        <div class="new-password" on:focusin=move |_| spawn_local(strength_part::fetch_ahead_of_typing())>
            <PasswordField
                label
                name
                autocomplete="new-password"
                node
                error
                shown
                hint=length_rule(min)
                on_text
            >
                <PasswordMeter hint />
                <StrengthNote estimate />
            </PasswordField>
        </div>
    }
    .into_any()
}
