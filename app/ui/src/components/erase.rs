//! One type for everything that changes.
//!
//! Leptos compiles rendering, updating and hydration anew for each type that a moving part of a page can have: some
//! three kilobytes of WASM for every `Option<View<…>>` or `&str` among the `String`s. So moving parts are of one type,
//! [`AnyView`], and these functions keep that readable.

use leptos::prelude::*;

/// Words that change.
pub fn text(words: impl Into<String>) -> AnyView {
    words.into().into_any()
}

/// Something that is not always there.
pub fn maybe(view: Option<impl IntoView + 'static>) -> AnyView {
    match view {
        Some(view) => view.into_any(),
        None => ().into_any(),
    }
}

/// One after the other.
pub fn list(views: impl Iterator<Item = impl IntoView + 'static>) -> AnyView {
    views.map(IntoAny::into_any).collect::<Vec<AnyView>>().into_any()
}
