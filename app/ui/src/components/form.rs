//! The parts of a form other than its fields.

use leptos::prelude::*;

use super::{
    erase::{list, maybe, text},
    notice::{Notice, Tone},
};
use crate::{submission::Submission, words::Failure};

/// The submit button of a form.
///
/// It is disabled until the app runs: a form sent by the browser itself would put the password into a page load. While
/// a request is on its way the button stays focusable, shows that it is busy, and does nothing.
#[component]
pub fn SubmitButton(
    /// The label.
    label: &'static str,
    /// The label while a request is on its way.
    busy_label: &'static str,
    /// Whether the page reacts to clicks yet.
    #[prop(into)]
    ready: Signal<bool>,
    /// Whether a request is on its way.
    busy: Signal<bool>,
    /// Classes in addition to `button`.
    #[prop(default = "button--primary button--wide")]
    class: &'static str,
) -> impl IntoView {
    view! {
        <button
            class=format!("button {class}")
            type="submit"
            disabled=move || !ready.get()
            aria-disabled=move || busy.get().then_some("true")
        >
            {move || text(if busy.get() { busy_label } else { label })}
        </button>
        <p class="sr-only" role="status">
            {move || text(if busy.get() { busy_label } else { "" })}
        </p>
    }
    .into_any()
}

/// The error summary of a form. The live region is always in the document, so that its content is announced.
#[component]
pub fn FailureNotice(
    /// The form's submission; this notice takes the focus when no field has an error.
    form: Submission,
) -> impl IntoView {
    view! {
        <div class="form__failure" tabindex="-1" node_ref=form.summary>
            <div role="alert">
                {move || maybe(form.failure.get().map(|failure| view! { <FailureText failure /> }))}
            </div>
            {move || {
                let technical = form.failure.with(|failure| failure.as_ref()?.technical.clone());
                maybe(technical.map(|text| view! { <Technical text /> }))
            }}
        </div>
    }
    .into_any()
}

/// Fields that show their own message.
const AT_THEIR_FIELDS: [&str; 5] = [
    "email",
    "password",
    "display_name",
    "current_password",
    "new_password",
];

/// A failure as a notice.
#[component]
pub fn FailureText(
    /// What went wrong.
    failure: Failure,
) -> impl IntoView {
    // The forms show these messages at their fields. Messages about any other field would be lost without a list.
    let elsewhere = failure
        .fields
        .into_iter()
        .filter(|(field, _)| !AT_THEIR_FIELDS.contains(&field.as_str()))
        .map(|(field, message)| view! { <p>{field} ": " {message}</p> });
    view! {
        <Notice tone=Tone::Alarm title=failure.title>
            <p>{failure.body}</p>
            {list(elsewhere)}
        </Notice>
    }
    .into_any()
}

/// Technical details, behind a disclosure. They need not be read out, so they are outside the alert.
#[component]
pub fn Technical(
    /// Status, code, and the server's own sentence.
    text: String,
) -> impl IntoView {
    view! {
        <details class="details">
            <summary>"Details"</summary>
            <p class="code">{text}</p>
        </details>
    }
    .into_any()
}
