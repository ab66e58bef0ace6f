//! The lab's port to the browser.

use std::any::Any;

use app::lab_port::{Heard, LabPort};
use js_sys::encode_uri_component;
use session_client::{ApiRequest, ApiResponse, Transport, TransportError};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Event, EventSource, MessageEvent, window};

use super::fetch::Fetch;

/// Features of the runner's window: small enough to be visible next to the page, and without any reference to it
/// (`noopener`).
const RUNNER_WINDOW: &str = "noopener,popup,width=520,height=720";

/// The lab's port for this page.
#[derive(Debug)]
pub(crate) struct BrowserLab;

/// A stream of server-sent events, which is closed when it is dropped.
struct Stream {
    source: EventSource,
    _heard: Closure<dyn Fn(Event)>,
}

impl Transport for BrowserLab {
    fn send(
        &self,
        request: ApiRequest,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<ApiResponse, TransportError>>>> {
        Fetch.send(request)
    }
}

impl LabPort for BrowserLab {
    fn follow(&self, path: &str, name: &str, hear: Box<dyn Fn(Heard)>) -> Option<Box<dyn Any>> {
        let source = EventSource::new(path).ok()?;
        let heard = Closure::<dyn Fn(Event)>::new(move |event: Event| {
            let data = event
                .dyn_ref::<MessageEvent>()
                .and_then(|event| event.data().as_string());
            // An error carries no data. The browser would reconnect automatically, but its delay and its number of
            // attempts are not specified.
            hear(data.map_or(Heard::Broken, Heard::Data));
        });
        for name in [name, "error"] {
            source
                .add_event_listener_with_callback(name, heard.as_ref().unchecked_ref())
                .ok()?;
        }
        Some(Box::new(Stream {
            source,
            _heard: heard,
        }))
    }

    fn open_window(&self, address: &str) {
        if let (Some(window), true) = (window(), is_web_address(address)) {
            let _ = window.open_with_url_and_target_and_features(address, "_blank", RUNNER_WINDOW);
        }
    }

    fn leave_for(&self, address: &str) {
        if let (Some(window), true) = (window(), is_web_address(address)) {
            let location = window.location();
            let view = encode_uri_component(&location.search().unwrap_or_default());
            let _ = location.assign(&format!("{address}&back={view}"));
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.source.close();
    }
}

/// Whether the address leads to a page. `javascript:` would run as script of this page.
fn is_web_address(address: &str) -> bool {
    address.starts_with("http://") || address.starts_with("https://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_are_opened() {
        for address in ["http://lab.localhost:3000/run", "https://lab.example/"] {
            assert!(is_web_address(address), "{address}");
        }
        for address in ["javascript:alert(1)", " https://x", "//x", "/lab", ""] {
            assert!(!is_web_address(address), "{address}");
        }
    }
}
