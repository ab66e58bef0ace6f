//! The application: routes and the frame around every page.

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::{
    components::{FlatRoutes, Route, Router},
    path,
};

use crate::{
    pages::{AccountPage, HomePage, LoginPage, NotFoundPage, RegisterPage},
    session_ctx::{SessionCtx, session_marker},
};

/// Everything inside `<body>`.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let session = SessionCtx::of_page();

    // Effects run in the browser only, and the first time when hydration is over.
    Effect::new(move |_| session.start_following());
    Effect::new(move |_| {
        if let (true, Some(platform)) = (session.hydrated(), session.platform()) {
            platform.set_session_marker(session_marker(&session.view()));
        }
    });

    view! {
        <Router>
            <main id="main">
                <FlatRoutes fallback=|| view! { <NotFoundPage /> }.into_any()>
                    <Route path=path!("/") view=|| view! { <HomePage /> }.into_any() />
                    <Route path=path!("/register") view=|| view! { <RegisterPage /> }.into_any() />
                    <Route path=path!("/login") view=|| view! { <LoginPage /> }.into_any() />
                    <Route path=path!("/account") view=|| view! { <AccountPage /> }.into_any() />
                </FlatRoutes>
            </main>
        </Router>
    }
}
