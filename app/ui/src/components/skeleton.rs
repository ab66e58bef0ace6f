//! Grey shapes of what is about to come, in its very place, so that nothing jumps.

use leptos::prelude::*;

use super::erase::list;

/// One line of text that is not known yet.
#[component]
pub fn Placeholder(
    /// How long the text will be, roughly: `short` or `medium`.
    #[prop(default = "medium")]
    length: &'static str,
) -> impl IntoView {
    view! { <span class=format!("placeholder placeholder--{length}") aria-hidden="true"></span> }
}

/// The shape of a form with its button.
#[component]
pub fn FormSkeleton(
    /// How many fields.
    fields: usize,
    /// What is being waited for, for those who cannot see the shape.
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
            <p class="sr-only" role="status">{label}</p>
            <div class="form" aria-hidden="true">
                {list((0..fields).map(|_| field()))}
                <span class="placeholder placeholder--button"></span>
            </div>
        </div>
    }
}
