//! The footer of every page.

use leptos::prelude::*;

use super::erase::maybe;
use crate::{lab_open, routes};

/// The footer.
#[component]
pub fn SiteFooter() -> impl IntoView {
    view! {
        <footer class="site-footer">
            <div class="site-footer__inner">
                <p>
                    "Keyturn is a reference implementation: read it, run it, copy it. "
                    "It loads nothing from other sites, and leaves nothing in your browser but your session and the "
                    "colours that you chose."
                </p>
                <p>
                    "Anybody can check its access tokens with the "
                    // Not a page of the application, so the router must leave this link to the browser.
                    <a href=api_types::paths::JWKS rel="external">
                        "public keys"
                    </a> "." {maybe(lab_open::lab_is_open().then(lab_link))}
                </p>
            </div>
        </footer>
    }
    .into_any()
}

fn lab_link() -> impl IntoView {
    view! {
        " What it is good for is measured in the "
        <a href=routes::LAB rel="external">
            "lab"
        </a>
        "."
    }
}
