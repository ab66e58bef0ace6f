//! Browser events that the session manager handles.

use js_sys::Function;
use session_client::{BrowserEvent, BrowserEvents};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Event, EventTarget, PageTransitionEvent, StorageEvent, VisibilityState, window};

use super::marker::PENDING_LOGOUT;

/// The events of this page.
#[derive(Debug)]
pub(crate) struct PageEvents;

impl BrowserEvents for PageEvents {
    fn listen(&self, on_event: Box<dyn Fn(BrowserEvent)>) {
        let Some(window) = window() else { return };
        let callback = Closure::<dyn Fn(Event)>::new(move |event: Event| {
            if let Some(browser_event) = browser_event_of(&event) {
                on_event(browser_event);
            }
        });
        let callback: Function = callback.into_js_value().unchecked_into();
        let listen = |target: &EventTarget, names: &[&str]| {
            for name in names {
                let _ = target.add_event_listener_with_callback(name, &callback);
            }
        };
        listen(&window, &["online", "pagehide", "pageshow", "storage"]);
        if let Some(document) = window.document() {
            listen(&document, &["visibilitychange"]);
        }
    }
}

fn browser_event_of(event: &Event) -> Option<BrowserEvent> {
    let persisted = || {
        event
            .dyn_ref::<PageTransitionEvent>()
            .is_some_and(PageTransitionEvent::persisted)
    };
    match event.type_().as_str() {
        "online" => Some(BrowserEvent::Online),
        "pagehide" => persisted().then_some(BrowserEvent::EnteredBfcache),
        "pageshow" => persisted().then_some(BrowserEvent::RestoredFromBfcache),
        "visibilitychange" => {
            let document = window()?.document()?;
            (document.visibility_state() == VisibilityState::Visible).then_some(BrowserEvent::Visible)
        }
        // Without a key, the whole storage was cleared.
        "storage" => {
            let key = event.dyn_ref::<StorageEvent>()?.key();
            key.is_none_or(|key| key == PENDING_LOGOUT)
                .then_some(BrowserEvent::MarkerChanged)
        }
        _ => None,
    }
}
