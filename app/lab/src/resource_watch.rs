//! Follows a server resource as it changes: an event stream, or polling where there is no stream.

use api_types::paths::query_value;
use std::{any::Any, time::Duration};

use leptos::{prelude::*, task::spawn_local};
use session_client::{ApiError, ApiRequest, ApiResponse, Method};
use ui::components::Tone;

use super::{
    components::notice,
    lab_port::{PortHandle, StreamMessage},
};

/// The polling interval where there is no stream.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The endpoints of a resource. Its id is inserted into the paths.
#[derive(Debug, Clone, Copy)]
pub struct Endpoints {
    pub resource: &'static str,
    pub events: &'static str,
    /// The name of the events; each event contains the complete state.
    pub event: &'static str,
}

/// The loading state of the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadStatus {
    /// Nothing is followed.
    Nothing,
    /// It is being requested.
    Loading,
    /// It is here, and complete or followed.
    Here,
    /// The server does not have it, or has deleted it.
    Gone,
    /// The server is unreachable. The state on display may be outdated.
    Unreachable,
}

/// Handles a response, and returns whether more will follow. `None`: there is nothing to show.
type OnUpdate = Callback<Option<ApiResponse>, Result<bool, ApiError>>;

/// Follows one resource at a time, until the page is left. Copies share it.
#[derive(Clone, Copy)]
pub struct ResourceWatch {
    port: PortHandle,
    endpoints: &'static Endpoints,
    on_update: OnUpdate,
    status: RwSignal<LoadStatus>,
    /// Counts the resources that were followed, so that a late response about an earlier one is recognised.
    generation: RwSignal<u32>,
    stream: StoredValue<Option<Box<dyn Any>>, LocalStorage>,
}

impl ResourceWatch {
    /// Creates the state, which ends with the page. `expected` if a resource will be followed next.
    pub fn of_page(
        endpoints: &'static Endpoints,
        expected: bool,
        on_update: impl Fn(Option<ApiResponse>) -> Result<bool, ApiError> + Send + Sync + 'static,
    ) -> Self {
        let this = Self {
            port: PortHandle::of_page(),
            endpoints,
            on_update: Callback::new(on_update),
            status: RwSignal::new(if expected {
                LoadStatus::Loading
            } else {
                LoadStatus::Nothing
            }),
            generation: RwSignal::new(0),
            stream: StoredValue::new_local(None),
        };
        on_cleanup(move || this.close_stream());
        this
    }

    /// Whether the resource is there; tracked.
    pub fn status(self) -> LoadStatus {
        self.status.get()
    }

    /// Switches to another resource, or to none.
    pub fn switch_to(self, id: Option<String>) {
        self.close_stream();
        let generation = self.generation.get_untracked().wrapping_add(1);
        self.generation.set(generation);
        self.clear();
        match id {
            Some(id) => {
                self.status.set(LoadStatus::Loading);
                self.load(id, generation, true);
            }
            None => self.status.set(LoadStatus::Nothing),
        }
    }

    fn clear(self) {
        // Clearing cannot fail.
        let _ = self.on_update.run(None);
    }

    fn is_current(self, generation: u32) -> bool {
        self.generation.try_get_untracked() == Some(generation)
    }

    fn close_stream(self) {
        self.stream.try_update_value(Option::take);
    }

    /// Requests the resource, and continues with a stream if `listen`, otherwise by polling.
    fn load(self, id: String, generation: u32, listen: bool) {
        let Some(port) = self.port.get() else { return };
        let request = ApiRequest::new(Method::Get, path(self.endpoints.resource, &id));
        spawn_local(async move {
            let answer = port.send(request).await;
            if !self.is_current(generation) {
                return;
            }
            match answer
                .map_err(|_| ApiError::Offline)
                .and_then(|answer| self.on_update.run(Some(answer)))
            {
                Ok(unfinished) => {
                    self.status.set(LoadStatus::Here);
                    if unfinished && !(listen && self.listen(&id, generation)) {
                        self.poll_later(id, generation);
                    }
                }
                Err(ApiError::Problem(problem)) if matches!(problem.status, 404 | 410) => {
                    self.clear();
                    self.status.set(LoadStatus::Gone);
                }
                Err(_) => {
                    self.status.set(LoadStatus::Unreachable);
                    self.poll_later(id, generation);
                }
            }
        });
    }

    fn poll_later(self, id: String, generation: u32) {
        set_timeout(
            move || {
                if self.is_current(generation) {
                    self.load(id, generation, false);
                }
            },
            POLL_INTERVAL,
        );
    }

    /// Opens the stream; `false` if there is none.
    fn listen(self, id: &str, generation: u32) -> bool {
        let Some(port) = self.port.get() else {
            return false;
        };
        let again = id.to_owned();
        let on_message = move |message| {
            if !self.is_current(generation) {
                return;
            }
            let goes_on = match message {
                StreamMessage::Data(body) => {
                    let answer = ApiResponse {
                        status: 200,
                        body,
                        retry_after: None,
                    };
                    self.on_update.run(Some(answer)).ok()
                }
                StreamMessage::Broken => None,
            };
            match goes_on {
                Some(true) => self.status.set(LoadStatus::Here),
                Some(false) => {
                    self.status.set(LoadStatus::Here);
                    self.close_stream();
                }
                None => {
                    self.close_stream();
                    self.poll_later(again.clone(), generation);
                }
            }
        };
        let stream = port.subscribe(
            &path(self.endpoints.events, id),
            self.endpoints.event,
            Box::new(on_message),
        );
        let open = stream.is_some();
        self.stream.set_value(stream);
        open
    }
}

impl std::fmt::Debug for ResourceWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResourceWatch")
            .field("endpoints", &self.endpoints)
            .finish_non_exhaustive()
    }
}

/// The notice for [`LoadStatus::Unreachable`].
pub fn unreachable() -> AnyView {
    notice(
        Tone::Plain,
        "The server does not answer",
        "What is shown may be old. This page asks again every second.",
    )
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
    fn an_id_stays_one_segment_of_the_path() {
        assert_eq!(path(paths::REPORT, "a1"), "/api/lab/runs/a1/report");
        assert_eq!(path(paths::RUN, "../../me?"), "/api/lab/runs/..%2F..%2Fme%3F");
    }
}
