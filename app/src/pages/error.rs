//! The page for what should not have happened.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::{components::PageHeading, respond, session_ctx::use_session};

/// Shown in place of a page that could not be made, with status 500 if that was on the server.
#[component]
pub fn ErrorPage() -> impl IntoView {
    respond::failed();
    let session = use_session();
    let path = use_location().pathname;
    let reload = move |_| {
        if let Some(platform) = session.platform() {
            platform.visit(&path.get_untracked());
        }
    };
    view! {
        <div class="page page--task">
            <p class="kicker">"Error"</p>
            <PageHeading title="This page could not be shown" />
            <p class="lead">
                "Something in the program went wrong; it is not your doing, and your session is untouched. "
                "Load the page again. If it keeps failing, come back later."
            </p>
            <p>
                <button class="button" type="button" disabled=move || !session.hydrated() on:click=reload>
                    "Load the page again"
                </button>
            </p>
        </div>
    }
    .into_any()
}
