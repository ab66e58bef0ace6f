//! The account page: profile, session, and the places of the tokens.
//!
//! The layout of the page never changes. While the session is being restored, and after it has ended, the same cards
//! show placeholders for unknown values. So nothing moves when a reload restores a session.

pub mod alarm;
pub mod deletion;
pub mod devices;
pub mod findings;
pub mod nav;
pub mod password;
pub mod profile;
pub mod security;
pub mod session;
pub mod timeline;
pub mod tokens;

use leptos::prelude::*;
use ui::{
    account_query::TokenState,
    components::{PageHeading, text},
    require_session::require_session,
    routes,
    session_ctx::{AuthState, use_session},
    ticking_clock::use_ticking_clock,
};

pub use self::{
    alarm::AlarmNotice, devices::SessionsPage, nav::AccountNav, security::SecurityPage, tokens::Countdown,
};
use self::{profile::ProfileCard, session::SessionCard, tokens::TokenPanel};

/// For signed-in users; others are sent to sign in and come back.
#[component]
pub fn AccountPage() -> impl IntoView {
    let session = use_session();
    require_session(session, routes::ACCOUNT);
    let user = Memo::new(move |_| match session.auth_state() {
        AuthState::SignedIn(user) => Some(user),
        AuthState::Pending { .. } | AuthState::Anonymous => None,
    });
    let token = Memo::new(move |_| TokenState::of(&session.view()));
    let now = use_ticking_clock(session);
    view! {
        <div class="page account">
            <PageHeading title="Your account" />
            <AccountNav />
            <AlarmNotice />
            <p class="sr-only" role="status">
                {move || text(if user.read().is_none() { "Looking for your session" } else { "" })}
            </p>
            <div class="account__grid">
                <div class="account__main">
                    <ProfileCard user />
                    <SessionCard token />
                </div>
                <TokenPanel token now />
            </div>
        </div>
    }
    .into_any()
}
