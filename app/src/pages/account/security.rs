//! Password, timeline, sign-out everywhere, and account deletion.

use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};
use ui::{
    components::{FailureText, PageHeading, maybe},
    require_session::require_session,
    routes,
    session_ctx::{AuthState, SignOutStatus, use_session},
    submission::Submission,
    words::Operation,
};

use super::{
    alarm::AlarmNotice, deletion::DeletionCard, nav::AccountNav, password::PasswordCard,
    timeline::TimelineCard,
};

/// For signed-in users; others are sent to sign in and come back.
#[component]
pub fn SecurityPage() -> impl IntoView {
    require_session(use_session(), routes::ACCOUNT_SECURITY);
    view! {
        <div class="page account">
            <PageHeading title="Security" />
            <AccountNav />
            <AlarmNotice />
            <div class="account__grid">
                <div class="account__main">
                    <PasswordCard />
                    <EverywhereCard />
                    <DeletionCard />
                </div>
                <TimelineCard />
            </div>
        </div>
    }
    .into_any()
}

/// Sign-out on all devices.
#[component]
fn EverywhereCard() -> impl IntoView {
    let session = use_session();
    let navigate = use_navigate();
    let end = Submission::new(Operation::EndSessions);
    let is_anonymous = move || !matches!(session.auth_state(), AuthState::SignedIn(_));
    let end_all = move |_| {
        let navigate = navigate.clone();
        end.send(
            async |manager| manager.sign_out_everywhere().await,
            move |()| {
                session.set_sign_out_status(Some(SignOutStatus::Done));
                navigate(routes::LOGIN, NavigateOptions::default());
            },
        );
    };
    view! {
        <section class="card" aria-labelledby="everywhere">
            <h2 class="card__title" id="everywhere">
                "Every device"
            </h2>
            <p>
                "Ends all sessions of your account at once, this one too. You will have to sign in again everywhere."
            </p>
            <div role="alert">
                {move || maybe(end.failure().get().map(|failure| view! { <FailureText failure /> }))}
            </div>
            <div class="card__foot">
                <button
                    class="button"
                    type="button"
                    disabled=is_anonymous
                    aria-disabled=move || end.busy().get().then_some("true")
                    on:click=end_all
                >
                    "Sign out everywhere"
                </button>
            </div>
        </section>
    }
    .into_any()
}
