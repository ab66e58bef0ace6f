//! Text fields with their label, hint and error tied to them.
//!
//! Fields keep their own value, as in plain HTML. So text that a person types, or that a password manager fills in,
//! before the app has started survives hydration. It is read when the form is sent.

use leptos::{html, prelude::*};

use super::{
    erase::maybe,
    icon::{Icon, Shape},
};
use crate::submission::FieldError;

/// A single-line text field.
#[component]
pub fn Field(
    /// The label's text, which is also the field's accessible name.
    label: &'static str,
    /// The JSON field name; ids are derived from it.
    name: &'static str,
    /// `type`, `autocomplete` and similar attributes, set by the caller.
    #[prop(default = "text")]
    kind: &'static str,
    /// The tokens that password managers look for.
    autocomplete: &'static str,
    /// `email` brings up the right keyboard on phones.
    #[prop(optional)]
    inputmode: Option<&'static str>,
    /// The caller reads the value and sets the focus through this reference.
    node: NodeRef<html::Input>,
    /// The error of this field, if any.
    error: FieldError,
    /// Help that is always visible.
    #[prop(optional)]
    hint: Option<&'static str>,
    /// Text next to the label; fields are required unless this says otherwise.
    #[prop(optional)]
    is_optional: bool,
    /// The initial value.
    #[prop(optional, into)]
    value: Option<String>,
) -> impl IntoView {
    error.belongs_to(node);
    let control = view! {
        <input
            class="input"
            id=name
            name=name
            type=kind
            value=value
            autocomplete=autocomplete
            inputmode=inputmode
            autocapitalize=if kind == "email" { "none" } else { "sentences" }
            spellcheck="false"
            required=!is_optional
            aria-describedby=move || described_by(name, hint.is_some(), error.message().is_some())
            aria-invalid=move || error.message().is_some().then_some("true")
            on:input=move |_| error.corrected()
            node_ref=node
        />
    };
    let aside = is_optional.then(|| view! { <span class="field__aside">"optional"</span> });
    let (control, hint) = (control.into_any(), hint.map(str::to_owned));
    frame(
        name,
        label,
        maybe(aside),
        hint,
        control,
        error,
        maybe(None::<AnyView>),
    )
}

/// A password field with a button that shows the characters.
#[component]
pub fn PasswordField(
    /// The label's text, which is also the field's accessible name.
    #[prop(default = "Password")]
    label: &'static str,
    /// The JSON field name; ids are derived from it.
    #[prop(default = "password")]
    name: &'static str,
    /// `current-password` or `new-password`.
    autocomplete: &'static str,
    /// The caller reads the value and sets the focus through this reference.
    node: NodeRef<html::Input>,
    /// The error of this field, if any.
    error: FieldError,
    /// Whether the characters are visible. The caller hides them again before sending, so that browsers do not remember
    /// the password as ordinary text.
    shown: RwSignal<bool>,
    /// Help that is always visible.
    #[prop(optional, into)]
    hint: Option<String>,
    /// Called with the text after each change.
    #[prop(optional, into)]
    on_text: Option<Callback<String>>,
    /// Content below the field, such as a meter.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    error.belongs_to(node);
    let has_hint = hint.is_some();
    let control = view! {
        <div class="input-group">
            <input
                class="input input-group__input"
                id=name
                name=name
                type=move || if shown.get() { "text" } else { "password" }
                autocomplete=autocomplete
                autocapitalize="none"
                spellcheck="false"
                required=true
                aria-describedby=move || described_by(name, has_hint, error.message().is_some())
                aria-invalid=move || error.message().is_some().then_some("true")
                on:input=move |event| {
                    error.corrected();
                    if let Some(on_text) = on_text {
                        on_text.run(event_target_value(&event));
                    }
                }
                node_ref=node
            />
            // The name stays the same and the state changes, as for every toggle button (WAI-ARIA `aria-pressed`).
            <button
                class="input-group__toggle"
                type="button"
                aria-pressed=move || if shown.get() { "true" } else { "false" }
                aria-controls=name
                on:click=move |_| shown.update(|shown| *shown = !*shown)
            >
                <Icon shape=Shape::Eye />
                "Show"
                <span class="sr-only">" what I typed"</span>
            </button>
        </div>
    };
    let (control, below) = (control.into_any(), maybe(children.map(|children| children())));
    frame(name, label, maybe(None::<AnyView>), hint, control, error, below)
}

/// Hidden user name for password managers: without it they would store a new password under no name or a wrong one.
/// People do not see it.
#[component]
pub fn UsernameForManagers(
    /// The email that the account signs in with.
    #[prop(into)]
    email: Signal<String>,
) -> impl IntoView {
    view! {
        <input
            type="text"
            name="username"
            autocomplete="username"
            hidden=true
            readonly=true
            value=move || email.get()
        />
    }
    .into_any()
}

/// What every field has around its control: the label, with a remark next to it; the hint; the error; and further content.
fn frame(
    name: &'static str,
    label: &'static str,
    aside: AnyView,
    hint: Option<String>,
    control: AnyView,
    error: FieldError,
    below: AnyView,
) -> AnyView {
    let hint = hint.map(|hint| {
        view! {
            <p class="field__hint" id=hint_id(name)>
                {hint}
            </p>
        }
    });
    view! {
        <div class="field">
            <div class="field__head">
                <label for=name>{label}</label>
                {aside}
            </div>
            {maybe(hint)}
            {control}
            <ErrorText name error />
            {below}
        </div>
    }
    .into_any()
}

/// The error message below a field. The element is always in the document, so that its content is announced.
#[component]
fn ErrorText(name: &'static str, error: FieldError) -> impl IntoView {
    view! {
        <div class="field__error" id=error_id(name)>
            {move || {
                maybe(
                    error
                        .message()
                        .map(|message| {
                            view! {
                                <Icon shape=Shape::Alert />
                                <p>{message}</p>
                            }
                        }),
                )
            }}
        </div>
    }
    .into_any()
}

fn hint_id(name: &str) -> String {
    format!("{name}-hint")
}

fn error_id(name: &str) -> String {
    format!("{name}-error")
}

/// The ids that a screen reader reads after the label: the error first, because it is new.
fn described_by(name: &str, hint: bool, error: bool) -> Option<String> {
    match (error, hint) {
        (true, true) => Some(format!("{} {}", error_id(name), hint_id(name))),
        (true, false) => Some(error_id(name)),
        (false, true) => Some(hint_id(name)),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_read_before_the_hint() {
        assert_eq!(
            described_by("email", true, true).as_deref(),
            Some("email-error email-hint")
        );
        assert_eq!(described_by("email", false, true).as_deref(), Some("email-error"));
        assert_eq!(described_by("email", false, false), None);
    }
}
