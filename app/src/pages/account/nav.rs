//! Navigation inside the account.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use ui::{
    components::{list, maybe},
    routes,
    session_ctx::use_session,
};

const PAGES: [(&str, &str); 4] = [
    (routes::ACCOUNT, "Overview"),
    (routes::ACCOUNT_SESSIONS, "Sessions"),
    (routes::ACCOUNT_SECURITY, "Security"),
    (routes::INSPECTOR, "Inspector"),
];

/// Links to the pages of the account, and for administrators to the list of users.
#[component]
pub fn AccountNav() -> impl IntoView {
    let session = use_session();
    let admin = Memo::new(move |_| session.auth_state().is_admin());
    let path = use_location().pathname;
    let link = move |(href, text): (&'static str, &'static str)| {
        view! {
            <a
                class="subnav__link"
                href=href
                aria-current=move || (path.read().trim_end_matches('/') == href).then_some("page")
            >
                {text}
            </a>
        }
    };
    view! {
        <nav class="subnav" aria-label="Account">
            {list(PAGES.into_iter().map(link))}
            {move || maybe(admin.get().then(|| link((routes::ADMIN_USERS, "Users"))))}
        </nav>
    }
    .into_any()
}
