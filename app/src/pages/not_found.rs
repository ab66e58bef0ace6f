use leptos::prelude::*;

#[component]
pub fn NotFoundPage() -> impl IntoView {
    crate::respond::not_found();
    view! { <h1>"NotFound"</h1> }
}
