//! The application: routes and the frame around every page.

use leptos::{html, prelude::*};
use leptos_meta::provide_meta_context;
use leptos_router::components::{FlatRoutes, Route, Router};
use ui::{
    components::{ConnectionBanner, NotFoundPage, SiteFooter, SiteHeader, Toaster, Toasts},
    exact_path::ExactPath,
    routes,
    session_ctx::{AuthState, SessionCtx, SignOutStatus, session_marker},
};

use crate::pages::{AccountArea, LazyPage, LoginPage};

/// Everything inside `<body>`.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let session = SessionCtx::of_page();
    follow_session(session);
    Toasts::provide();

    let main = NodeRef::<html::Main>::new();
    let skip = move |event: leptos::ev::MouseEvent| {
        // The router treats links to anchors as navigations and would leave the focus where it was.
        event.prevent_default();
        if let Some(main) = main.get() {
            let _ = main.focus();
        }
    };

    view! {
        <Router>
            <a class="skip-link" href="#main" on:click=skip>
                "Skip to the content"
            </a>
            <SiteHeader />
            <main id="main" class="site-main" tabindex="-1" node_ref=main>
                <FlatRoutes transition=true fallback=|| view! { <NotFoundPage /> }.into_any()>
                    <Route path=ExactPath(routes::HOME) view=LazyPage::Home />
                    <Route path=ExactPath(routes::REGISTER) view=LazyPage::Register />
                    <Route path=ExactPath(routes::LOGIN) view=|| view! { <LoginPage /> }.into_any() />
                    <Route path=ExactPath(routes::ACCOUNT) view=LazyPage::Account(AccountArea::Overview) />
                    <Route
                        path=ExactPath(routes::ACCOUNT_SESSIONS)
                        view=LazyPage::Account(AccountArea::Sessions)
                    />
                    <Route path=ExactPath(routes::INSPECTOR) view=LazyPage::Inspector />
                    <Route path=ExactPath(routes::LAB) view=LazyPage::Lab />
                    <Route
                        path=ExactPath(routes::ACCOUNT_SECURITY)
                        view=LazyPage::Account(AccountArea::Security)
                    />
                    <Route path=ExactPath(routes::ADMIN_USERS) view=LazyPage::Account(AccountArea::Users) />
                </FlatRoutes>
            </main>
            <SiteFooter />
            <Toaster />
            <ConnectionBanner />
        </Router>
    }
}

/// Effects run in the browser only.
fn follow_session(session: SessionCtx) {
    Effect::new(move |_| {
        if let (true, Some(platform)) = (session.hydrated(), session.platform()) {
            platform.set_session_marker(session_marker(&session.view()));
        }
    });
    // The sign-out message is cleared when someone signs in again.
    Effect::new(move |_| {
        let over = session.sign_out_status() == Some(SignOutStatus::Done);
        if over && matches!(session.auth_state(), AuthState::SignedIn(_)) {
            session.set_sign_out_status(None);
        }
    });
}
