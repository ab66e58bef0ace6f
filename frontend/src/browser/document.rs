//! Checks whether the document is still as the server wrote it, and clears it if it is not.

use app::{
    checksum::{self, Checksum},
    platform::ProgramEvent,
};
use web_sys::{Document, Event, HtmlElement, Node, Window};

/// Whether the application's part of the document has exactly the structure that the server wrote, so that it can be
/// hydrated. `false` if the structure is unknown.
pub(crate) fn is_as_served() -> bool {
    let Some((window, document)) = page() else {
        return false;
    };
    let served = document
        .document_element()
        .and_then(|root| root.get_attribute(checksum::ATTRIBUTE));
    !hydration_crashed(&window) && served.is_some() && served == checksum_of(&document)
}

/// Whether the application crashed during hydration, and the user then pressed “Reload”.
fn hydration_crashed(window: &Window) -> bool {
    let state = window.history().and_then(|history| history.state());
    state.is_ok_and(|state| state.as_string().as_deref() == Some(ProgramEvent::RENDER_NEXT_TIME))
}

fn checksum_of(document: &Document) -> Option<String> {
    let mut checksum = Checksum::default();
    let mut next = document.body()?.first_child();
    while let Some(node) = next {
        if is_end(&node) {
            return Some(checksum.finish());
        }
        add(&mut checksum, &node);
        next = node.next_sibling();
    }
    None
}

fn add(checksum: &mut Checksum, node: &Node) {
    match node.node_type() {
        Node::ELEMENT_NODE => {
            checksum.open(&node.node_name());
            let mut next = node.first_child();
            while let Some(child) = next {
                add(checksum, &child);
                next = child.next_sibling();
            }
            checksum.close();
        }
        Node::COMMENT_NODE => checksum.comment(),
        _ => checksum.text(),
    }
}

fn is_end(node: &Node) -> bool {
    node.node_name().eq_ignore_ascii_case(checksum::END)
}

/// Removes the application's part of the document and returns the body to render into. The watch script keeps the
/// user's input until the application is ready.
pub(crate) fn clear() -> HtmlElement {
    report(ProgramEvent::Render);
    let body = leptos::tachys::dom::body();
    // If the end marker is missing, all children are removed.
    while let Some(node) = body.first_child() {
        let _ = body.remove_child(&node);
        if is_end(&node) {
            break;
        }
    }
    body
}

/// Reports an event to the watch script of the shell.
pub(crate) fn report(event: ProgramEvent) {
    if let (Some(window), Ok(event)) = (web_sys::window(), Event::new(event.name())) {
        let _ = window.dispatch_event(&event);
    }
}

fn page() -> Option<(Window, Document)> {
    let window = web_sys::window()?;
    let document = window.document()?;
    Some((window, document))
}
