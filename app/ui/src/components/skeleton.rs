//! Grey placeholders with the size and position of the content that will follow, so that nothing moves.

use leptos::prelude::*;

use super::erase::list;

/// Placeholder for one line of text.
#[component]
pub fn Placeholder(
    /// Approximate length of the text: `short` or `medium`.
    #[prop(default = "medium")]
    length: &'static str,
) -> impl IntoView {
    view! { <span class=format!("placeholder placeholder--{length}") aria-hidden="true"></span> }
}

/// Placeholder for a form with its button.
#[component]
pub fn FormSkeleton(
    /// The number of fields.
    fields: usize,
    /// What the page is waiting for, for people who cannot see the placeholder.
    label: &'static str,
) -> impl IntoView {
    let field = || {
        view! {
            <div class="field">
                <Placeholder length="short" />
                <span class="placeholder placeholder--input"></span>
            </div>
        }
    };
    view! {
        <div class="form-skeleton">
            <p class="sr-only" role="status">
                {label}
            </p>
            <div class="form" aria-hidden="true">
                {list((0..fields).map(|_| field()))}
                <span class="placeholder placeholder--button"></span>
            </div>
        </div>
    }
}

/// The value, or a placeholder.
pub fn or_skeleton(known: Option<impl IntoView + 'static>) -> AnyView {
    match known {
        Some(known) => known.into_any(),
        None => view! { <Placeholder /> }.into_any(),
    }
}
