//! Type erasure for every part of a page that changes.
//!
//! Leptos compiles rendering, updating and hydration separately for each type that a changing part of a page can have:
//! about three kilobytes of WASM for every `Option<View<…>>` or `&str` among the `String`s. So all changing parts have
//! one type, [`AnyView`], and these functions keep the code readable.

use leptos::prelude::*;

/// Text that changes.
pub fn text(words: impl Into<String>) -> AnyView {
    words.into().into_any()
}

/// A view that is not always present.
pub fn maybe(view: Option<impl IntoView + 'static>) -> AnyView {
    match view {
        Some(view) => view.into_any(),
        None => ().into_any(),
    }
}

/// A list of views.
pub fn list(views: impl Iterator<Item = impl IntoView + 'static>) -> AnyView {
    views.map(IntoAny::into_any).collect::<Vec<AnyView>>().into_any()
}
