//! The guard of pages for signed-in users.

use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};

use crate::{
    respond, routes,
    session_ctx::{AuthState, SessionCtx},
};

/// Sends visitors without a session to the sign-in page, which leads back to `page`.
pub fn require_session(session: SessionCtx, page: &'static str) {
    let is_anonymous = Memo::new(move |_| session.auth_state() == AuthState::Anonymous);
    if is_anonymous.get_untracked() {
        respond::redirect(&routes::with_next(routes::LOGIN, page));
    }
    let navigate = use_navigate();
    Effect::new(move |_| {
        if session.hydrated() && is_anonymous.get() {
            // A person who has just signed out is not asked to come back.
            let signed_out = session.sign_out_status_untracked().is_some();
            let to = if signed_out {
                routes::LOGIN.into()
            } else {
                routes::with_next(routes::LOGIN, page)
            };
            navigate(
                &to,
                NavigateOptions {
                    replace: true,
                    ..NavigateOptions::default()
                },
            );
        }
    });
}
