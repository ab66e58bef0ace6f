//! Browser events that the session manager handles.

use js_sys::Function;
use session_client::{Wakeup, Wakeups};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Event, EventTarget, PageTransitionEvent, StorageEvent, VisibilityState, window};

use super::marker::PENDING_LOGOUT;

/// The events of this page.
#[derive(Debug)]
pub(crate) struct PageEvents;

impl Wakeups for PageEvents {
    fn listen(&self, wake: Box<dyn Fn(Wakeup)>) {
        let Some(window) = window() else { return };
        let heard = Closure::<dyn Fn(Event)>::new(move |event: Event| {
            if let Some(wakeup) = meaning(&event) {
                wake(wakeup);
            }
        });
        let heard: Function = heard.into_js_value().unchecked_into();
        let listen = |target: &EventTarget, names: &[&str]| {
            for name in names {
                let _ = target.add_event_listener_with_callback(name, &heard);
            }
        };
        listen(&window, &["online", "pagehide", "pageshow", "storage"]);
        if let Some(document) = window.document() {
            listen(&document, &["visibilitychange"]);
        }
    }
}

fn meaning(event: &Event) -> Option<Wakeup> {
    let kept = || {
        event
            .dyn_ref::<PageTransitionEvent>()
            .is_some_and(PageTransitionEvent::persisted)
    };
    match event.type_().as_str() {
        "online" => Some(Wakeup::Online),
        "pagehide" => kept().then_some(Wakeup::Stowed),
        "pageshow" => kept().then_some(Wakeup::Unstowed),
        "visibilitychange" => {
            let document = window()?.document()?;
            (document.visibility_state() == VisibilityState::Visible).then_some(Wakeup::Shown)
        }
        // Without a key, the whole storage was cleared.
        "storage" => {
            let key = event.dyn_ref::<StorageEvent>()?.key();
            key.is_none_or(|key| key == PENDING_LOGOUT)
                .then_some(Wakeup::Marked)
        }
        _ => None,
    }
}
