//! The “not found” page.

use leptos::prelude::*;

use crate::{components::PageHeading, respond, routes};

/// Shows that the page does not exist, with status 404.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    respond::not_found();
    view! {
        <div class="page page--task">
            <p class="kicker">"404"</p>
            <PageHeading title="There is no such page" />
            <p class="lead">
                "The address may be mistyped, or the page has moved. Nothing happened to your session."
            </p>
            <p>
                <a class="button" href=routes::HOME>
                    "Go to the start page"
                </a>
            </p>
        </div>
    }
    .into_any()
}
