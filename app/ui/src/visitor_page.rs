//! What the pages for visitors (sign in, create account) share: when to show the form, and where to go next.

use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};

use crate::{
    routes,
    session_ctx::{AuthState, SignOutStatus, use_session},
};

/// The visitor's destination, if it is a page of ours.
pub fn use_next() -> Memo<Option<String>> {
    let query = use_query_map();
    Memo::new(move |_| {
        query
            .read()
            .get("next")
            .as_deref()
            .and_then(routes::safe_next)
            .map(str::to_owned)
    })
}

/// Sends signed-in users on, now or as soon as they sign in. The page is replaced in the history, because going back
/// would only lead here and on again.
pub fn redirect_when_signed_in(next: Memo<Option<String>>) {
    let session = use_session();
    let navigate = use_navigate();
    Effect::new(move |_| {
        let signing_out = session.sign_out_status() == Some(SignOutStatus::InProgress);
        if session.hydrated() && !signing_out && matches!(session.auth_state(), AuthState::SignedIn(_)) {
            let next = next.get_untracked();
            let destination = next.as_deref().unwrap_or(routes::ACCOUNT);
            navigate(
                destination,
                NavigateOptions {
                    replace: true,
                    ..NavigateOptions::default()
                },
            );
        }
    });
}

/// Whether to show the form. Once it is shown, only a sign-in removes it, because the visitor may be typing.
pub fn use_form_shown() -> Memo<bool> {
    let session = use_session();
    Memo::new(move |before: Option<&bool>| form_shown(&session.auth_state(), before == Some(&true)))
}

fn form_shown(auth_state: &AuthState, before: bool) -> bool {
    match auth_state {
        AuthState::Anonymous => true,
        AuthState::Pending { .. } => before,
        AuthState::SignedIn(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_waits_for_a_known_state_and_then_stays() {
        assert!(!form_shown(&AuthState::Pending { likely: false }, false));
        assert!(form_shown(&AuthState::Anonymous, false));
        assert!(form_shown(&AuthState::Pending { likely: true }, true));
    }
}
