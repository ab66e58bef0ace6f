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
    session_ctx::{Presence, use_session},
};

use super::part;
use crate::pages::missing_part::MissingPart;

/// What one visitor gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    /// The user is not known yet, or there is none; visitors who are not signed in are being sent to sign in.
    Waiting,
    Open,
    /// For this user the page does not exist.
    Nowhere,
}

impl Door {
    fn of(presence: &Presence) -> Self {
        match presence {
            Presence::Pending { .. } | Presence::Anonymous => Self::Waiting,
            Presence::SignedIn(_) if presence.is_admin() => Self::Open,
            Presence::SignedIn(_) => Self::Nowhere,
        }
    }
}

/// Lets administrators in; sends visitors who are not signed in to sign in.
#[component]
pub fn AdminDoor() -> impl IntoView {
    let session = use_session();
    require_session(session, routes::ADMIN_USERS);
    let door = Memo::new(move |_| Door::of(&session.presence()));
    // Whether the administrators' part of the app has arrived: `None` while it is on its way.
    let arrived = RwSignal::new(None::<bool>);
    let fetch = Callback::new(move |()| {
        spawn_local(async move {
            let here = part::fetch_admin_part().await;
            if arrived.try_get_untracked().is_some_and(|now| now != Some(here)) {
                arrived.try_set(Some(here));
            }
        });
    });
    Effect::new(move |_| {
        if door.get() == Door::Open && arrived.get_untracked() != Some(true) {
            arrived.set(None);
            fetch.run(());
        }
    });
    move || match (door.get(), arrived.get()) {
        (Door::Nowhere, _) => view! { <NotFoundPage /> }.into_any(),
        (Door::Open, Some(true)) => Suspend::new(part::admin_page()).into_any(),
        (Door::Open, Some(false)) => view! { <MissingPart fetch /> }.into_any(),
        (Door::Open, None) | (Door::Waiting, _) => view! { <PageShape /> }.into_any(),
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

    fn signed_in(role: &str) -> Presence {
        Presence::SignedIn(User {
            id: "1".into(),
            email: "ada@example.com".into(),
            display_name: None,
            role: role.into(),
            created_at: 0,
        })
    }

    #[test]
    fn the_role_opens_it_and_nothing_less() {
        assert_eq!(Door::of(&signed_in("admin")), Door::Open);
        for role in ["user", "", "Admin", "administrator"] {
            assert_eq!(Door::of(&signed_in(role)), Door::Nowhere, "{role}");
        }
        for presence in [
            Presence::Anonymous,
            Presence::Pending { likely: true },
            Presence::Pending { likely: false },
        ] {
            assert_eq!(Door::of(&presence), Door::Waiting);
        }
    }
}
