//! Password change.

use api_types::account::ChangePasswordRequest;
use leptos::{html, prelude::*};
use ui::{
    components::{FailureNotice, PasswordField, SubmitButton, UsernameForManagers, use_toasts},
    hints::{MinPassword, PasswordHint, empty_password_error},
    session_ctx::{AuthState, use_session},
    strength::PasswordContext,
    submission::{Submission, typed},
    words::Operation,
};

use crate::pages::new_password::NewPasswordField;

/// The current password, and the new one.
#[component]
pub fn PasswordCard() -> impl IntoView {
    let session = use_session();
    let form = Submission::new(Operation::ChangePassword);
    let (current, new) = (NodeRef::<html::Input>::new(), NodeRef::<html::Input>::new());
    let (current_shown, new_shown) = (RwSignal::new(false), RwSignal::new(false));
    let hint = RwSignal::new(PasswordHint::Empty);
    let toasts = use_toasts();

    let min = MinPassword::get();
    // Fields keep their own text, so this counter signals that it has changed.
    let edits = RwSignal::new(0_u32);
    let person = Callback::new(move |()| {
        edits.track();
        let person = match session.auth_state() {
            AuthState::SignedIn(user) => {
                PasswordContext::new(&user.email, user.display_name.as_deref().unwrap_or_default())
            }
            AuthState::Pending { .. } | AuthState::Anonymous => PasswordContext::new("", ""),
        };
        let password = typed(current);
        if password.is_empty() {
            person
        } else {
            person.with_current_password(password)
        }
    });

    let submit = form.on_submit(move || {
        current_shown.set(false);
        new_shown.set(false);
        let request = ChangePasswordRequest {
            current_password: typed(current),
            new_password: typed(new),
        };
        if form.refuse_fields(missing(&request, min)) {
            return;
        }
        form.send(
            async move |manager| manager.change_password(request).await,
            move |_| {
                for field in [current, new] {
                    if let Some(input) = field.try_get_untracked().flatten() {
                        input.set_value("");
                    }
                }
                hint.try_set(PasswordHint::Empty);
                toasts.say("Your password is changed. Every other session has ended.");
            },
        );
    });

    view! {
        <section class="card" aria-labelledby="password">
            <h2 class="card__title" id="password">
                "Password"
            </h2>
            <p>"A new password ends every other session, and renews this one."</p>
            <form
                class="form"
                method="post"
                novalidate=true
                on:submit=submit
                on:input=move |_| edits.update(|edits| *edits = edits.wrapping_add(1))
            >
                <FailureNotice form />
                <UsernameForManagers email=Signal::derive(move || own_email(&session.auth_state())) />
                <PasswordField
                    label="Current password"
                    name="current_password"
                    autocomplete="current-password"
                    node=current
                    error=form.error("current_password")
                    shown=current_shown
                />
                <NewPasswordField
                    label="New password"
                    name="new_password"
                    node=new
                    error=form.error("new_password")
                    shown=new_shown
                    hint
                    person
                />
                <div class="form__row">
                    <SubmitButton
                        label="Change password"
                        busy_label="Changing…"
                        ready=Signal::derive(move || session.hydrated())
                        busy=form.busy()
                        class=""
                    />
                </div>
            </form>
        </section>
    }
    .into_any()
}

/// Empty until the user is known.
pub(super) fn own_email(auth_state: &AuthState) -> String {
    match auth_state {
        AuthState::SignedIn(user) => user.email.clone(),
        AuthState::Pending { .. } | AuthState::Anonymous => String::new(),
    }
}

/// Errors that the browser can find. The server checks everything else.
fn missing(request: &ChangePasswordRequest, min: usize) -> Vec<(String, String)> {
    let mut missing = Vec::new();
    if request.current_password.is_empty() {
        missing.push((
            "current_password".into(),
            "Enter the password that you have now.".into(),
        ));
    }
    if request.new_password.is_empty() {
        missing.push(("new_password".into(), empty_password_error(min)));
    }
    missing
}
