//! Error notice for what could not be loaded or done, outside of forms.

use leptos::prelude::*;

use super::{
    erase::maybe,
    form::{FailureText, Technical},
};
use crate::words::Failure;

/// Error message, technical details, and an optional retry button. The live region is always in the document, so that
/// screen readers announce what is added to it.
#[component]
pub fn ErrorNotice(
    /// What went wrong, if anything.
    #[prop(into)]
    failure: Signal<Option<Failure>>,
    /// Retries.
    #[prop(optional)]
    retry: Option<Callback<()>>,
) -> impl IntoView {
    let again = move |retry: Callback<()>| {
        view! {
            <p>
                <button class="button" type="button" on:click=move |_| retry.run(())>
                    "Try again"
                </button>
            </p>
        }
    };
    view! {
        <div role="alert">
            {move || maybe(failure.get().map(|failure| view! { <FailureText failure /> }))}
        </div>
        {move || {
            let technical = failure.get().and_then(|failure| failure.technical);
            maybe(technical.map(|text| view! { <Technical text /> }))
        }}
        {move || maybe(retry.filter(|_| failure.read().is_some()).map(again))}
    }
    .into_any()
}
