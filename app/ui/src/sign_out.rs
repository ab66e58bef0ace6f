//! Sign-out, the same from every page.

use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::{use_location, use_navigate};

use crate::{
    routes,
    session_ctx::{SignOutStatus, use_session},
};

/// The action of a click on “Sign out”: the manager clears the token immediately and tells the server. The visitor goes
/// to the sign-in page, which shows the result.
pub fn use_sign_out() -> impl Fn() + Clone + Send + Sync + 'static {
    let session = use_session();
    let navigate = use_navigate();
    let path = use_location().pathname;
    move || {
        let Some(manager) = session.manager() else { return };
        if session.sign_out_status_untracked() == Some(SignOutStatus::InProgress) {
            return;
        }
        session.set_sign_out_status(Some(SignOutStatus::InProgress));
        let navigate = navigate.clone();
        // This call clears the token; the future only tells whether the server has received the sign-out.
        let leaving = manager.sign_out();
        spawn_local(async move {
            // The view has the result: it also follows later changes.
            let _ = leaving.await;
            session.set_sign_out_status(Some(SignOutStatus::Done));
            // The account page has usually navigated there already, when its session ended.
            if path.get_untracked() != routes::LOGIN {
                navigate(routes::LOGIN, leptos_router::NavigateOptions::default());
            }
        });
    }
}
