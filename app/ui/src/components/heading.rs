//! The heading of a page, which also takes the focus when the page changes.

use leptos::{html, prelude::*};
use leptos_meta::Title;

use crate::session_ctx::use_session;

/// The `<h1>` and the document's title.
///
/// A navigation inside the application loads no document, so nothing tells a screen reader that the page has changed.
/// Therefore the heading takes the focus. On a fresh page load the browser does this itself.
#[component]
pub fn PageHeading(
    /// The document's title, without the product's name.
    title: &'static str,
    /// The heading, if it says more than the title.
    #[prop(optional)]
    text: Option<&'static str>,
) -> impl IntoView {
    let heading = NodeRef::<html::H1>::new();
    if use_session().is_hydrated_untracked() {
        Effect::new(move |_| {
            if let Some(heading) = heading.get() {
                let _ = heading.focus();
            }
        });
    }
    view! {
        <Title text=format!("{title} · Keyturn") />
        <h1 class="page-title" tabindex="-1" node_ref=heading>
            {text.unwrap_or(title)}
        </h1>
    }
    .into_any()
}
