//! Checks whether the document is still as the server wrote it, and clears it if it is not.

use app::{
    platform::ProgramEvent,
    shape::{self, Shape},
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
        .and_then(|root| root.get_attribute(shape::ATTRIBUTE));
    !hydration_crashed(&window) && served.is_some() && served == shape_of_document(&document)
}

/// Whether the application crashed during hydration, and the user then pressed “Reload”.
fn hydration_crashed(window: &Window) -> bool {
    let state = window.history().and_then(|history| history.state());
    state.is_ok_and(|state| state.as_string().as_deref() == Some(ProgramEvent::RENDER_NEXT_TIME))
}

fn shape_of_document(document: &Document) -> Option<String> {
    let mut shape = Shape::default();
    let mut next = document.body()?.first_child();
    while let Some(node) = next {
        if is_end(&node) {
            return Some(shape.finish());
        }
        add(&mut shape, &node);
        next = node.next_sibling();
    }
    None
}

fn add(shape: &mut Shape, node: &Node) {
    match node.node_type() {
        Node::ELEMENT_NODE => {
            shape.open(&node.node_name());
            let mut next = node.first_child();
            while let Some(child) = next {
                add(shape, &child);
                next = child.next_sibling();
            }
            shape.close();
        }
        Node::COMMENT_NODE => shape.comment(),
        _ => shape.text(),
    }
}

fn is_end(node: &Node) -> bool {
    node.node_name().eq_ignore_ascii_case(shape::END)
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
