use leptos::prelude::*;

#[component]
pub fn RegisterPage() -> impl IntoView {
    view! { <h1>"Register"</h1> }
}
