//! Access to the pages of the administrators.
//!
//! The server renders without knowing the role, and the browser learns it with the session. Until then the page shows a
//! placeholder that could belong to any page. Users without the role get “not found”, and the browser never fetches the
//! part of the app that has the page.

use leptos::{prelude::*, task::spawn_local};
use leptos_meta::Title;
use ui::{
    components::{NotFoundPage, Placeholder},
    require_session::require_session,
    routes,
    session_ctx::{AuthState, use_session},
};

use super::lazy_page::{admin_page, fetch_admin_page};
use crate::pages::missing_part::MissingPart;

/// Whether a visitor may see the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AdminAccess {
    /// The user is not known yet, or there is none; visitors who are not signed in are being sent to sign in.
    Pending,
    Granted,
    /// For this user the page does not exist.
    NotFound,
}

impl AdminAccess {
    fn of(auth_state: &AuthState) -> Self {
        match auth_state {
            AuthState::Pending { .. } | AuthState::Anonymous => Self::Pending,
            AuthState::SignedIn(_) if auth_state.is_admin() => Self::Granted,
            AuthState::SignedIn(_) => Self::NotFound,
        }
    }
}

/// Shows the page to administrators only. Visitors who are not signed in are sent to sign in.
#[component]
pub fn AdminGuard() -> impl IntoView {
    let session = use_session();
    require_session(session, routes::ADMIN_USERS);
    let access = Memo::new(move |_| AdminAccess::of(&session.auth_state()));
    // Whether the administrators' part of the app has arrived: `None` while it is on its way.
    let arrived = RwSignal::new(None::<bool>);
    let fetch = Callback::new(move |()| {
        spawn_local(async move {
            let here = fetch_admin_page().await;
            if arrived.try_get_untracked().is_some_and(|now| now != Some(here)) {
                arrived.try_set(Some(here));
            }
        });
    });
    Effect::new(move |_| {
        if access.get() == AdminAccess::Granted && arrived.get_untracked() != Some(true) {
            arrived.set(None);
            fetch.run(());
        }
    });
    move || match (access.get(), arrived.get()) {
        (AdminAccess::NotFound, _) => view! { <NotFoundPage /> }.into_any(),
        (AdminAccess::Granted, Some(true)) => Suspend::new(admin_page()).into_any(),
        (AdminAccess::Granted, Some(false)) => view! { <MissingPart fetch /> }.into_any(),
        (AdminAccess::Granted, None) | (AdminAccess::Pending, _) => view! { <PageSkeleton /> }.into_any(),
    }
}

/// A placeholder that reveals nothing about the page.
#[component]
fn PageSkeleton() -> impl IntoView {
    view! {
        <div class="page account">
            <Title text="Keyturn" />
            <p class="sr-only" role="status">
                "Looking for your session"
            </p>
            <h1 class="page-title">
                <span class="sr-only">"One moment"</span>
                <Placeholder />
            </h1>
            <p class="lead">
                <Placeholder />
            </p>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use api_types::auth::User;

    use super::*;

    fn signed_in(role: &str) -> AuthState {
        AuthState::SignedIn(User {
            id: "1".into(),
            email: "ada@example.com".into(),
            display_name: None,
            role: role.into(),
            created_at: 0,
        })
    }

    #[test]
    fn only_the_role_grants_access() {
        assert_eq!(AdminAccess::of(&signed_in("admin")), AdminAccess::Granted);
        for role in ["user", "", "Admin", "administrator"] {
            assert_eq!(AdminAccess::of(&signed_in(role)), AdminAccess::NotFound, "{role}");
        }
        for auth_state in [
            AuthState::Anonymous,
            AuthState::Pending { likely: true },
            AuthState::Pending { likely: false },
        ] {
            assert_eq!(AdminAccess::of(&auth_state), AdminAccess::Pending);
        }
    }
}
