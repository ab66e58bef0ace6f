//! The button that loads the next page of a list.

use leptos::prelude::*;

/// A button that stays focusable while a request is on its way, and shows that it is busy. The caller ignores clicks
/// then.
#[component]
pub fn MoreButton(
    /// The label.
    label: &'static str,
    /// Whether a request is on its way.
    busy: Signal<bool>,
    /// Loads the next page.
    #[prop(into)]
    load_more: Callback<()>,
) -> impl IntoView {
    view! {
        <button
            class="button"
            type="button"
            aria-disabled=move || busy.get().then_some("true")
            on:click=move |_| load_more.run(())
        >
            {label}
        </button>
    }
    .into_any()
}
