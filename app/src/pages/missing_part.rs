//! In place of a page whose part of the program could not be fetched.

use leptos::prelude::*;

use crate::components::{PageHeading, ReloadButton};

/// Offers to load the page anew: the network may be back, and a newer version of the program is fetched with it.
#[component]
pub fn MissingPart() -> impl IntoView {
    view! {
        <div class="page page--task">
            <p class="kicker">"Not loaded"</p>
            <PageHeading title="This page did not arrive" />
            <p class="lead">
                "Its part of the program could not be fetched: your connection may be gone, or Keyturn was updated since "
                "you opened it. If you were signed in, you still are. Load the page again when you are back online."
            </p>
            <ReloadButton />
        </div>
    }
    .into_any()
}
