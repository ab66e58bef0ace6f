//! The application: routes and the frame around every page.

use leptos::{html, prelude::*};
use leptos_meta::provide_meta_context;
use leptos_router::{
    Lazy,
    components::{FlatRoutes, Route, Router},
    path,
};

use crate::{
    components::{ConnectionBanner, SiteFooter, SiteHeader, Toaster, Toasts},
    pages::{
        AccountRoute, ErrorPage, HomeRoute, InspectorRoute, LabRoute, LoginPage, NotFoundPage, RegisterRoute,
        SecurityRoute, SessionsRoute, UsersRoute,
    },
    session_ctx::{Farewell, Presence, SessionCtx, session_marker},
};

/// Everything inside `<body>`.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let session = SessionCtx::of_page();
    follow_session(session);
    Toasts::provide();

    let main = NodeRef::<html::Main>::new();
    let skip = move |event: leptos::ev::MouseEvent| {
        // The router takes links to anchors for navigations and would leave the focus where it was.
        event.prevent_default();
        if let Some(main) = main.get() {
            let _ = main.focus();
        }
    };

    view! {
        <Router>
            <a class="skip-link" href="#main" on:click=skip>"Skip to the content"</a>
            <SiteHeader />
            <main id="main" class="site-main" tabindex="-1" node_ref=main>
                <ErrorBoundary fallback=|_| view! { <ErrorPage /> }>
                    <FlatRoutes transition=true fallback=|| view! { <NotFoundPage /> }.into_any()>
                        <Route path=path!("/") view={Lazy::<HomeRoute>::new()} />
                        <Route path=path!("/register") view={Lazy::<RegisterRoute>::new()} />
                        <Route path=path!("/login") view=|| view! { <LoginPage /> }.into_any() />
                        <Route path=path!("/account") view={Lazy::<AccountRoute>::new()} />
                        <Route path=path!("/account/sessions") view={Lazy::<SessionsRoute>::new()} />
                        <Route path=path!("/inspector") view={Lazy::<InspectorRoute>::new()} />
                        <Route path=path!("/lab") view={Lazy::<LabRoute>::new()} />
                        <Route path=path!("/account/security") view={Lazy::<SecurityRoute>::new()} />
                        <Route path=path!("/admin/users") view={Lazy::<UsersRoute>::new()} />
                    </FlatRoutes>
                </ErrorBoundary>
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
    // A farewell is over when somebody signs in again.
    Effect::new(move |_| {
        let over = session.farewell() == Some(Farewell::Done);
        if over && matches!(session.presence(), Presence::SignedIn(_)) {
            session.set_farewell(None);
        }
    });
}
