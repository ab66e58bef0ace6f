//! The token inspector: the content of this page's access token, the rotations of the refresh token, and every request
//! as it happens. It is for people who want to know how it works; it offers no action that other pages lack.
//!
//! Everything is looked up: the token in the session manager's memory, the requests in its log of what was really sent.

pub mod access;
pub mod drawing;
pub mod lineage;
pub mod requests;

use leptos::prelude::*;
use session_client::TokenContent;
use ui::{
    account_query::TokenState, components::PageHeading, require_session::require_session, routes,
    session_ctx::use_session, ticking_clock::use_ticking_clock,
};

use self::{access::AccessCard, lineage::LineageCard, requests::RequestsCard};
use super::account::{AccountNav, AlarmNotice};

/// For signed-in users; others are sent to sign in and come back.
#[component]
pub fn InspectorPage() -> impl IntoView {
    let session = use_session();
    require_session(session, routes::INSPECTOR);
    let token = Memo::new(move |_| TokenState::of(&session.view()));
    let now = use_ticking_clock(session);
    // A signal and not a `Resource`: the content of a token must never be written into the server's HTML.
    let inspected = RwSignal::new(None::<TokenContent>);
    Effect::new(move |_| {
        let _ = token.get();
        inspected.set(session.manager().and_then(|manager| manager.inspect()));
    });
    view! {
        <div class="page account inspector">
            <PageHeading title="Token inspector" />
            <AccountNav />
            <AlarmNotice />
            <p class="lead">
                "What the two tokens of this page are doing right now. The requests below are real: each button sends one, "
                "and the drawing shows what went over the wire."
            </p>
            <RequestsCard />
            <div class="account__grid">
                <AccessCard inspected token now />
                <LineageCard inspected />
            </div>
        </div>
    }
    .into_any()
}
