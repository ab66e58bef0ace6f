//! Signing out, which is the same from everywhere.

use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::{use_location, use_navigate};

use crate::{
    routes,
    session_ctx::{Farewell, use_session},
};

/// What a click on “Sign out” does: the manager forgets the token at once and tells the server; the visitor ends up
/// on the sign-in page, which says how it went.
pub(crate) fn use_sign_out() -> impl Fn() + Clone + Send + Sync + 'static {
    let session = use_session();
    let navigate = use_navigate();
    let path = use_location().pathname;
    move || {
        let Some(manager) = session.manager() else { return };
        if session.farewell_untracked() == Some(Farewell::Leaving) {
            return;
        }
        session.set_farewell(Some(Farewell::Leaving));
        let navigate = navigate.clone();
        // The token is forgotten by this call; the future only tells whether the server has heard of it.
        let leaving = manager.sign_out();
        spawn_local(async move {
            // How it went is in the view: it also follows what comes later.
            let _ = leaving.await;
            session.set_farewell(Some(Farewell::Done));
            // The account page has usually gone there already, when its session went.
            if path.get_untracked() != routes::LOGIN {
                navigate(routes::LOGIN, leptos_router::NavigateOptions::default());
            }
        });
    }
}
