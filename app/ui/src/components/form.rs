//! The parts of a form that are not fields.

use leptos::{html, prelude::*};

use super::{
    erase::{list, maybe, text},
    notice::{Notice, Tone},
};
use crate::words::Failure;

/// What a form knows while it lives. Copies share it.
#[derive(Debug, Clone, Copy, Default)]
pub struct FormState {
    busy: RwSignal<bool>,
    failure: RwSignal<Option<Failure>>,
    summary: NodeRef<html::Div>,
}

impl FormState {
    /// Begins to send. `false` if that is going on already, so that nothing is sent twice.
    pub fn start(self) -> bool {
        let idle = !self.busy.get_untracked();
        if idle {
            self.busy.set(true);
            self.failure.set(None);
        }
        idle
    }

    /// Ends without a complaint. The form may be gone by then, which is why nothing here insists.
    pub fn done(self) {
        self.busy.try_set(false);
    }

    /// Ends with a complaint: shows it, and moves the focus to the first field that it names, else to the summary.
    pub fn refuse<const N: usize>(self, failure: Failure, fields: [(&'static str, NodeRef<html::Input>); N]) {
        let to_blame = fields.into_iter().find(|(name, _)| failure.field(name).is_some());
        self.busy.try_set(false);
        self.failure.try_set(Some(failure));
        // On the next frame the messages are in the document, and are read together with the field.
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

    /// What is wrong with one field, until that is corrected.
    pub fn error(self, name: &'static str) -> FieldError {
        FieldError { form: self, name }
    }

    pub fn busy(self) -> Signal<bool> {
        self.busy.into()
    }
}

/// What is wrong with one field of a form. Copies share it.
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

    /// Takes the message away: what it says is about a value that is no longer there.
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

/// The button that sends a form.
///
/// Until the program runs it is disabled: a form sent by the browser itself would put the password into a page load.
/// While a request is on its way it stays focusable, says so, and does nothing.
#[component]
pub fn SubmitButton(
    /// What it does.
    label: &'static str,
    /// What it says while it does that.
    busy_label: &'static str,
    /// Whether the page answers to clicks yet.
    #[prop(into)]
    ready: Signal<bool>,
    /// Whether a request is on its way.
    busy: Signal<bool>,
    /// The classes beside `button`.
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

/// The error summary of a form. The region is always there and speaks when something arrives in it.
#[component]
pub fn FailureNotice(
    /// The form's state; its summary takes the focus when no field is to blame.
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

/// Fields whose message stands at the field itself.
const AT_THEIR_FIELDS: [&str; 5] = [
    "email",
    "password",
    "display_name",
    "current_password",
    "new_password",
];

/// A failure in a frame.
#[component]
pub fn FailureText(
    /// What went wrong.
    failure: Failure,
) -> impl IntoView {
    // The forms show a message at its field; what belongs to none of their fields would be lost without a list.
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

/// The technical truth, one click deeper. Nothing that has to be read out, so it stands beside the alert.
#[component]
pub fn Technical(
    /// Status, code, the server's own sentence.
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
