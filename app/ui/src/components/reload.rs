//! Reload button for a page that could not be shown.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::session_ctx::use_session;

/// Reloads this page and the app.
#[component]
pub fn ReloadButton() -> impl IntoView {
    let session = use_session();
    let path = use_location().pathname;
    let reload = move |_| {
        if let Some(platform) = session.platform() {
            platform.load_page(&path.get_untracked());
        }
    };
    view! {
        <p>
            <button class="button" type="button" disabled=move || !session.hydrated() on:click=reload>
                "Load the page again"
            </button>
        </p>
    }
    .into_any()
}
