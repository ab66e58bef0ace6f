//! Follows a server resource as it changes: an event stream, or polling where there is no stream.

use api_types::paths::query_value;
use std::{any::Any, time::Duration};

use leptos::{prelude::*, task::spawn_local};
use session_client::{ApiError, ApiRequest, ApiResponse, Method};
use ui::components::{Notice, Tone};

use super::port::{Heard, Port};

/// The polling interval where there is no stream.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// The endpoints of a resource. Its id is inserted into the paths.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    pub path: &'static str,
    pub events: &'static str,
    /// The name of the events; each event contains the complete state.
    pub event: &'static str,
}

/// The loading state of the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Nothing is followed.
    Nothing,
    /// It is being requested.
    Asking,
    /// It is here, and complete or followed.
    Here,
    /// The server does not have it, or has deleted it.
    Gone,
    /// The server is unreachable. The state on display may be outdated.
    Unreachable,
}

/// Handles a response, and returns whether more will follow. `None`: there is nothing to show.
type Take = Callback<Option<ApiResponse>, Result<bool, ApiError>>;

/// Follows one resource at a time, until the page is left. Copies share it.
#[derive(Clone, Copy)]
pub struct Watch {
    port: Port,
    source: &'static Source,
    take: Take,
    found: RwSignal<Found>,
    /// Counts the resources that were followed, so that a late response about an earlier one is recognised.
    turn: RwSignal<u32>,
    stream: StoredValue<Option<Box<dyn Any>>, LocalStorage>,
}

impl Watch {
    /// Creates the state, which ends with the page. `expected` if a resource will be followed next.
    pub fn of_page(
        source: &'static Source,
        expected: bool,
        take: impl Fn(Option<ApiResponse>) -> Result<bool, ApiError> + Send + Sync + 'static,
    ) -> Self {
        let this = Self {
            port: Port::of_page(),
            source,
            take: Callback::new(take),
            found: RwSignal::new(if expected { Found::Asking } else { Found::Nothing }),
            turn: RwSignal::new(0),
            stream: StoredValue::new_local(None),
        };
        on_cleanup(move || this.hang_up());
        this
    }

    /// Whether the resource is there; tracked.
    pub fn found(self) -> Found {
        self.found.get()
    }

    /// Switches to another resource, or to none.
    pub fn turn_to(self, id: Option<String>) {
        self.hang_up();
        let turn = self.turn.get_untracked().wrapping_add(1);
        self.turn.set(turn);
        self.forget();
        match id {
            Some(id) => {
                self.found.set(Found::Asking);
                self.ask(id, turn, true);
            }
            None => self.found.set(Found::Nothing),
        }
    }

    fn forget(self) {
        // Clearing cannot fail.
        let _ = self.take.run(None);
    }

    fn is_current(self, turn: u32) -> bool {
        self.turn.try_get_untracked() == Some(turn)
    }

    fn hang_up(self) {
        self.stream.try_update_value(Option::take);
    }

    /// Requests the resource, and continues with a stream if `listen`, otherwise by polling.
    fn ask(self, id: String, turn: u32, listen: bool) {
        let Some(port) = self.port.get() else { return };
        let request = ApiRequest::new(Method::Get, path(self.source.path, &id));
        spawn_local(async move {
            let answer = port.send(request).await;
            if !self.is_current(turn) {
                return;
            }
            match answer
                .map_err(|_| ApiError::Offline)
                .and_then(|answer| self.take.run(Some(answer)))
            {
                Ok(unfinished) => {
                    self.found.set(Found::Here);
                    if unfinished && !(listen && self.listen(&id, turn)) {
                        self.ask_again(id, turn);
                    }
                }
                Err(ApiError::Problem(problem)) if matches!(problem.status, 404 | 410) => {
                    self.forget();
                    self.found.set(Found::Gone);
                }
                Err(_) => {
                    self.found.set(Found::Unreachable);
                    self.ask_again(id, turn);
                }
            }
        });
    }

    fn ask_again(self, id: String, turn: u32) {
        set_timeout(
            move || {
                if self.is_current(turn) {
                    self.ask(id, turn, false);
                }
            },
            ASK_AGAIN,
        );
    }

    /// Opens the stream; `false` if there is none.
    fn listen(self, id: &str, turn: u32) -> bool {
        let Some(port) = self.port.get() else {
            return false;
        };
        let again = id.to_owned();
        let hear = move |heard| {
            if !self.is_current(turn) {
                return;
            }
            let told = match heard {
                Heard::Data(body) => {
                    let answer = ApiResponse {
                        status: 200,
                        body,
                        retry_after: None,
                    };
                    self.take.run(Some(answer)).ok()
                }
                Heard::Broken => None,
            };
            match told {
                Some(true) => self.found.set(Found::Here),
                Some(false) => {
                    self.found.set(Found::Here);
                    self.hang_up();
                }
                None => {
                    self.hang_up();
                    self.ask_again(again.clone(), turn);
                }
            }
        };
        let stream = port.follow(&path(self.source.events, id), self.source.event, Box::new(hear));
        let open = stream.is_some();
        self.stream.set_value(stream);
        open
    }
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

/// The notice for [`Found::Unreachable`].
pub fn unreachable() -> AnyView {
    view! {
        <Notice tone=Tone::Plain title="The server does not answer">
            <p>"What is shown may be old. This page asks again every second."</p>
        </Notice>
    }
    .into_any()
}

/// An API path with an id inserted.
pub fn path(template: &str, id: &str) -> String {
    template.replace("{id}", &query_value(id))
}

#[cfg(test)]
mod tests {
    use lab_types::paths;

    use super::*;

    #[test]
    fn an_id_from_the_address_stays_one_segment() {
        assert_eq!(path(paths::REPORT, "a1"), "/api/lab/runs/a1/report");
        assert_eq!(path(paths::RUN, "../../me?"), "/api/lab/runs/..%2F..%2Fme%3F");
    }
}
