//! Account deletion, confirmed with the password.

use api_types::account::DeleteAccountRequest;
use leptos::{ev::SubmitEvent, html, prelude::*, task::spawn_local};
use leptos_router::hooks::use_navigate;
use ui::{
    components::{FailureNotice, FormState, PasswordField, SubmitButton, UsernameForManagers},
    routes,
    session_ctx::use_session,
    words::{Failure, Operation},
};

use super::password::own_email;

/// Lists what will be deleted, and asks for the password.
#[component]
pub fn DeletionCard() -> impl IntoView {
    let session = use_session();
    let navigate = use_navigate();
    let form = FormState::default();
    let password = NodeRef::<html::Input>::new();
    let shown = RwSignal::new(false);

    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let (Some(manager), Some(input)) = (session.manager(), password.get_untracked()) else {
            return;
        };
        if !form.start() {
            return;
        }
        shown.set(false);
        let request = DeleteAccountRequest {
            current_password: input.value(),
        };
        let fields = [("current_password", password)];
        if request.current_password.is_empty() {
            let missing = vec![(
                "current_password".into(),
                "Enter your password to confirm.".into(),
            )];
            form.refuse(Failure::of_fields(missing), fields);
            return;
        }
        let navigate = navigate.clone();
        spawn_local(async move {
            match manager.delete_account(request).await {
                Ok(()) => {
                    form.done();
                    navigate(routes::HOME, leptos_router::NavigateOptions::default());
                }
                Err(error) => form.refuse(Failure::of(&error, Operation::DeleteAccount), fields),
            }
        });
    };

    view! {
        <section class="card" aria-labelledby="deletion">
            <h2 class="card__title" id="deletion">"Delete this account"</h2>
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
