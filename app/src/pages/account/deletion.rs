//! Account deletion, confirmed with the password.

use api_types::account::DeleteAccountRequest;
use leptos::{html, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use ui::{
    components::{FailureNotice, PasswordField, SubmitButton, UsernameForManagers},
    routes,
    session_ctx::use_session,
    submission::{Submission, typed},
    words::Operation,
};

use super::password::own_email;

/// Lists what will be deleted, and asks for the password.
#[component]
pub fn DeletionCard() -> impl IntoView {
    let session = use_session();
    let navigate = use_navigate();
    let form = Submission::new(Operation::DeleteAccount);
    let password = NodeRef::<html::Input>::new();
    let shown = RwSignal::new(false);

    let submit = form.on_submit(move || {
        shown.set(false);
        let request = DeleteAccountRequest {
            current_password: typed(password),
        };
        if form.refuse_fields(missing(&request)) {
            return;
        }
        let navigate = navigate.clone();
        form.send(
            async move |manager| manager.delete_account(request).await,
            move |()| navigate(routes::HOME, NavigateOptions::default()),
        );
    });

    view! {
        <section class="card" aria-labelledby="deletion">
            <h2 class="card__title" id="deletion">
                "Delete this account"
            </h2>
            <p>"Your profile, all sessions and the timeline are deleted at once. There is no way back."</p>
            <form class="form" method="post" novalidate=true on:submit=submit>
                <FailureNotice form />
                <UsernameForManagers email=Signal::derive(move || own_email(&session.auth_state())) />
                <PasswordField
                    label="Your password"
                    name="deletion_password"
                    autocomplete="current-password"
                    node=password
                    error=form.error("current_password")
                    shown
                    hint="Confirm with your password."
                />
                <div class="form__row">
                    <SubmitButton
                        label="Delete account"
                        busy_label="Deleting…"
                        ready=Signal::derive(move || session.hydrated())
                        busy=form.busy()
                        class="button--alarm"
                    />
                </div>
            </form>
        </section>
    }
    .into_any()
}

/// Errors that the browser can find. The server checks everything else.
fn missing(request: &DeleteAccountRequest) -> Vec<(String, String)> {
    let mut missing = Vec::new();
    if request.current_password.is_empty() {
        missing.push((
            "current_password".into(),
            "Enter your password to confirm.".into(),
        ));
    }
    missing
}
