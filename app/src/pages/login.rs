use leptos::prelude::*;

#[component]
pub fn LoginPage() -> impl IntoView {
    view! { <h1>"Login"</h1> }
}
