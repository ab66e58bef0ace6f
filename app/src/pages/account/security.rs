//! Password, timeline, sign-out everywhere, and account deletion.

use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::use_navigate;
use ui::{
    components::{FailureText, PageHeading, maybe},
    require_session::require_session,
    routes,
    session_ctx::{AuthState, SignOutStatus, use_session},
    words::{Failure, Operation},
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
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let stranger = move || !matches!(session.auth_state(), AuthState::SignedIn(_));
    let end = move |_| {
        let Some(manager) = session.manager().filter(|_| !busy.get_untracked()) else {
            return;
        };
        busy.set(true);
        failure.set(None);
        let navigate = navigate.clone();
        spawn_local(async move {
            let ended = manager.sign_out_everywhere().await;
            busy.try_set(false);
            match ended {
                Ok(()) => {
                    session.set_sign_out_status(Some(SignOutStatus::Done));
                    navigate(routes::LOGIN, leptos_router::NavigateOptions::default());
                }
                Err(error) => {
                    failure.try_set(Some(Failure::of(&error, Operation::EndSessions)));
                }
            }
        });
    };
    view! {
        <section class="card" aria-labelledby="everywhere">
            <h2 class="card__title" id="everywhere">"Every device"</h2>
            <p>"Ends all sessions of your account at once, this one too. You will have to sign in again everywhere."</p>
            <div role="alert">{move || maybe(failure.get().map(|failure| view! { <FailureText failure /> }))}</div>
            <div class="card__foot">
                <button
                    class="button"
                    type="button"
                    disabled=stranger
                    aria-disabled=move || busy.get().then_some("true")
                    on:click=end
                >
                    "Sign out everywhere"
                </button>
            </div>
        </section>
    }
    .into_any()
}
