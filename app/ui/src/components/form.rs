//! The parts of a form other than its fields.

use leptos::{html, prelude::*};

use super::{
    erase::{list, maybe, text},
    notice::{Notice, Tone},
};
use crate::words::Failure;

/// The state of a form. Copies share it.
#[derive(Debug, Clone, Copy, Default)]
pub struct FormState {
    busy: RwSignal<bool>,
    failure: RwSignal<Option<Failure>>,
    summary: NodeRef<html::Div>,
}

impl FormState {
    /// Marks the form as sending. Returns `false` if it is sending already, so that nothing is sent twice.
    pub fn start(self) -> bool {
        let idle = !self.busy.get_untracked();
        if idle {
            self.busy.set(true);
            self.failure.set(None);
        }
        idle
    }

    /// Marks the form as done, without an error. The form may be disposed by then, so nothing here may panic.
    pub fn done(self) {
        self.busy.try_set(false);
    }

    /// Shows an error, and moves the focus to the first field that it names, otherwise to the summary.
    pub fn refuse<const N: usize>(self, failure: Failure, fields: [(&'static str, NodeRef<html::Input>); N]) {
        let to_blame = fields.into_iter().find(|(name, _)| failure.field(name).is_some());
        self.busy.try_set(false);
        self.failure.try_set(Some(failure));
        // On the next frame the messages are in the document, and screen readers read them together with the field.
        request_animation_frame(move || {
            let _ = match to_blame {
                Some((_, node)) => node.try_get_untracked().flatten().map(|input| input.focus()),
                None => self
                    .summary
                    .try_get_untracked()
                    .flatten()
                    .map(|summary| summary.focus()),
            };
        });
    }

    /// The error of one field, until the field is corrected.
    pub fn error(self, name: &'static str) -> FieldError {
        FieldError { form: self, name }
    }

    pub fn busy(self) -> Signal<bool> {
        self.busy.into()
    }
}

/// The error of one field of a form. Copies share it.
#[derive(Debug, Clone, Copy)]
pub struct FieldError {
    form: FormState,
    name: &'static str,
}

impl FieldError {
    /// The message, if there is one; tracked.
    pub fn message(self) -> Option<String> {
        let failure = self.form.failure.read();
        failure.as_ref().and_then(|failure| failure.field(self.name))
    }

    /// Removes the message, because it is about a value that is no longer there.
    pub fn corrected(self) {
        let failure = self.form.failure;
        let failed = failure.with_untracked(|failure| {
            let failure = failure.as_ref();
            failure.is_some_and(|failure| failure.field(self.name).is_some())
        });
        if failed {
            failure
                .update(|failure| *failure = failure.take().and_then(|failure| failure.without(self.name)));
        }
    }
}

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
    /// The form's state; its summary takes the focus when no field has an error.
    form: FormState,
) -> impl IntoView {
    view! {
        <div class="form__failure" tabindex="-1" node_ref=form.summary>
            <div role="alert">
                {move || maybe(form.failure.get().map(|failure| view! { <FailureText failure /> }))}
            </div>
            {move || {
                let technical = form.failure.get().and_then(|failure| failure.technical);
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
    let elsewhere: Vec<_> = failure
        .fields
        .into_iter()
        .filter(|(field, _)| !AT_THEIR_FIELDS.contains(&field.as_str()))
        .map(|(field, message)| format!("{field}: {message}"))
        .collect();
    view! {
        <Notice tone=Tone::Alarm title=failure.title>
            <p>{failure.body}</p>
            {list(elsewhere.into_iter().map(|message| view! { <p>{message}</p> }))}
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
