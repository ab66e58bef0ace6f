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

use super::part;
use crate::pages::missing_part::MissingPart;

/// What one visitor gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    /// The user is not known yet, or there is none; visitors who are not signed in are being sent to sign in.
    Waiting,
    Granted,
    /// For this user the page does not exist.
    Denied,
}

impl Access {
    fn of(auth_state: &AuthState) -> Self {
        match auth_state {
            AuthState::Pending { .. } | AuthState::Anonymous => Self::Waiting,
            AuthState::SignedIn(_) if auth_state.is_admin() => Self::Granted,
            AuthState::SignedIn(_) => Self::Denied,
        }
    }
}

/// Lets administrators in; sends visitors who are not signed in to sign in.
#[component]
pub fn AdminGuard() -> impl IntoView {
    let session = use_session();
    require_session(session, routes::ADMIN_USERS);
    let access = Memo::new(move |_| Access::of(&session.auth_state()));
    // Whether the administrators' part of the app has arrived: `None` while it is on its way.
    let loaded = RwSignal::new(None::<bool>);
    let fetch = Callback::new(move |()| {
        spawn_local(async move {
            let is_loaded = part::fetch_admin_part().await;
            if loaded
                .try_get_untracked()
                .is_some_and(|now| now != Some(is_loaded))
            {
                loaded.try_set(Some(is_loaded));
            }
        });
    });
    Effect::new(move |_| {
        if access.get() == Access::Granted && loaded.get_untracked() != Some(true) {
            loaded.set(None);
            fetch.run(());
        }
    });
    move || match (access.get(), loaded.get()) {
        (Access::Denied, _) => view! { <NotFoundPage /> }.into_any(),
        (Access::Granted, Some(true)) => Suspend::new(part::admin_page()).into_any(),
        (Access::Granted, Some(false)) => view! { <MissingPart fetch /> }.into_any(),
        (Access::Granted, None) | (Access::Waiting, _) => view! { <PageShape /> }.into_any(),
    }
}

/// A placeholder that reveals nothing about the page.
#[component]
fn PageShape() -> impl IntoView {
    view! {
        <div class="page account">
            <Title text="Keyturn" />
            <p class="sr-only" role="status">"Looking for your session"</p>
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
    fn the_role_opens_it_and_nothing_less() {
        assert_eq!(Access::of(&signed_in("admin")), Access::Granted);
        for role in ["user", "", "Admin", "administrator"] {
            assert_eq!(Access::of(&signed_in(role)), Access::Denied, "{role}");
        }
        for auth_state in [
            AuthState::Anonymous,
            AuthState::Pending { likely: true },
            AuthState::Pending { likely: false },
        ] {
            assert_eq!(Access::of(&auth_state), Access::Waiting);
        }
    }
}
