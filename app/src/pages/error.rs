//! The page for what should not have happened.

use leptos::prelude::*;

use crate::{
    components::{PageHeading, ReloadButton},
    respond,
};

/// Shown in place of a page that could not be made, with status 500 if that was on the server.
#[component]
pub fn ErrorPage() -> impl IntoView {
    respond::failed();
    view! {
        <div class="page page--task">
            <p class="kicker">"Error"</p>
            <PageHeading title="This page could not be shown" />
            <p class="lead">
                "Something in the program went wrong; it is not your doing, and your session is untouched. "
                "Load the page again. If it keeps failing, come back later."
            </p>
            <ReloadButton />
        </div>
    }
    .into_any()
}
