//! What a form or a button sends: one request at a time, its failure, and where the focus goes after it.

use leptos::{ev::SubmitEvent, html, prelude::*, task::spawn_local};
use session_client::{ApiError, SessionManager};

use crate::{
    session_ctx::{SessionCtx, use_session},
    words::{Failure, Operation},
};

/// The requests of a form or a button. Copies share it.
#[derive(Debug, Clone, Copy)]
pub struct Submission {
    session: SessionCtx,
    operation: Operation,
    busy: RwSignal<bool>,
    pub(crate) failure: RwSignal<Option<Failure>>,
    pub(crate) summary: NodeRef<html::Div>,
    fields: StoredValue<Fields>,
}

/// The fields by name, in the order of the form.
type Fields = Vec<(&'static str, NodeRef<html::Input>)>;

impl Submission {
    /// `operation` selects the advice in case of a failure.
    pub fn new(operation: Operation) -> Self {
        Self {
            session: use_session(),
            operation,
            busy: RwSignal::new(false),
            failure: RwSignal::new(None),
            summary: NodeRef::new(),
            fields: StoredValue::new(Vec::new()),
        }
    }

    /// Sends a request, and calls `then` with the response. A failure is shown instead. Does nothing while a response
    /// is expected, so nothing is sent twice.
    pub fn send<T>(
        self,
        request: impl AsyncFnOnce(SessionManager) -> Result<T, ApiError> + 'static,
        then: impl FnOnce(T) + 'static,
    ) {
        let Some(manager) = self.session.manager().filter(|_| !self.busy.get_untracked()) else {
            return;
        };
        self.busy.set(true);
        self.failure.set(None);
        spawn_local(async move {
            let answer = request(manager).await;
            // The page may be gone by then, so nothing here may panic.
            self.busy.try_set(false);
            match answer {
                Ok(value) => then(value),
                Err(error) => self.refuse(Failure::of(&error, self.operation)),
            }
        });
    }

    /// The handler of a form's `submit` event. `send` is called if no response is expected.
    pub fn on_submit(self, send: impl Fn() + 'static) -> impl Fn(SubmitEvent) + 'static {
        move |event| {
            event.prevent_default();
            if !self.busy.get_untracked() {
                send();
            }
        }
    }

    /// Shows errors that the browser found, by field name. Returns whether there are any.
    pub fn refuse_fields(self, errors: Vec<(String, String)>) -> bool {
        let refused = !errors.is_empty();
        if refused {
            self.refuse(Failure::of_fields(errors));
        }
        refused
    }

    /// Shows a failure, and moves the focus to the first field that it names, otherwise to the form's summary.
    pub fn refuse(self, failure: Failure) {
        let field = self.fields.try_with_value(|fields| {
            let field = fields.iter().find(|(name, _)| failure.field(name).is_some());
            field.map(|(_, node)| *node)
        });
        self.failure.try_set(Some(failure));
        // On the next frame the messages are in the document, and screen readers read them together with the field.
        request_animation_frame(move || {
            let _ = match field.flatten() {
                Some(node) => node.try_get_untracked().flatten().map(|input| input.focus()),
                None => self
                    .summary
                    .try_get_untracked()
                    .flatten()
                    .map(|summary| summary.focus()),
            };
        });
    }

    /// Removes the failure.
    pub fn clear(self) {
        self.failure.set(None);
    }

    /// The error of one field, until the field is corrected.
    pub fn error(self, name: &'static str) -> FieldError {
        FieldError {
            name,
            failure: self.failure,
            fields: self.fields,
        }
    }

    /// Why the last request failed.
    pub fn failure(self) -> Signal<Option<Failure>> {
        self.failure.into()
    }

    /// Whether a response is expected.
    pub fn busy(self) -> Signal<bool> {
        self.busy.into()
    }
}

/// The error of one field of a form. Copies share it.
#[derive(Debug, Clone, Copy)]
pub struct FieldError {
    name: &'static str,
    failure: RwSignal<Option<Failure>>,
    fields: StoredValue<Fields>,
}

impl FieldError {
    /// Names the field that takes the focus when it has an error.
    pub(crate) fn belongs_to(self, node: NodeRef<html::Input>) {
        self.fields.update_value(|fields| fields.push((self.name, node)));
    }

    /// The message, if there is one; tracked.
    pub fn message(self) -> Option<String> {
        let failure = self.failure.read();
        failure.as_ref().and_then(|failure| failure.field(self.name))
    }

    /// Removes the message, because it is about a value that is no longer there.
    pub fn corrected(self) {
        self.failure.maybe_update(|failure| {
            let failed = failure.take_if(|failure| failure.field(self.name).is_some());
            let changed = failed.is_some();
            if changed {
                *failure = failed.and_then(|failure| failure.without(self.name));
            }
            changed
        });
    }
}

/// The text of a field. Fields keep their own value, and it is read when the form is sent.
pub fn typed(field: NodeRef<html::Input>) -> String {
    field.get_untracked().map_or(String::new(), |input| input.value())
}
