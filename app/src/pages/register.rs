//! Create an account.

use api_types::auth::RegisterRequest;
use leptos::{html, prelude::*};
use ui::{
    components::{CookieNotice, FailureNotice, Field, FormSkeleton, PageHeading, SubmitButton},
    hints::{MinPassword, PasswordHint, empty_password_error},
    routes,
    session_ctx::use_session,
    strength::PasswordContext,
    submission::{Submission, typed},
    visitor_page,
    words::Operation,
};

use super::new_password::NewPasswordField;

/// The form, and a link for people who have an account.
#[component]
pub fn RegisterPage() -> impl IntoView {
    let next = visitor_page::use_next();
    visitor_page::redirect_when_signed_in(next);
    let shown = visitor_page::use_form_shown();
    let login = move || {
        next.get().map_or(routes::LOGIN.into(), |next| {
            routes::with_next(routes::LOGIN, &next)
        })
    };
    view! {
        <div class="page page--task">
            <PageHeading title="Create an account" />
            <CookieNotice />
            <div class="card">
                {move || {
                    if shown.get() {
                        view! { <RegisterForm /> }.into_any()
                    } else {
                        view! { <FormSkeleton fields=3 label="Looking for your session" /> }.into_any()
                    }
                }}
            </div>
            <p class="page__aside">"Have an account already? " <a href=login>"Sign in"</a></p>
        </div>
    }
    .into_any()
}

#[component]
fn RegisterForm() -> impl IntoView {
    let session = use_session();
    let form = Submission::new(Operation::Register);
    let (email, password) = (NodeRef::<html::Input>::new(), NodeRef::<html::Input>::new());
    let display_name = NodeRef::<html::Input>::new();
    let password_shown = RwSignal::new(false);
    let hint = RwSignal::new(PasswordHint::Empty);

    let min = MinPassword::get();
    // Fields keep their own text, so this counter signals that it has changed.
    let edits = RwSignal::new(0_u32);
    let person = Callback::new(move |()| {
        edits.track();
        PasswordContext::new(&typed(email), &typed(display_name))
    });

    let submit = form.on_submit(move || {
        password_shown.set(false);
        let request = RegisterRequest {
            email: typed(email),
            password: typed(password),
            display_name: name_as_sent(&typed(display_name)),
        };
        if form.refuse_fields(missing(&request, min)) {
            return;
        }
        // The page notices the session and sends the visitor on.
        form.send(async move |manager| manager.register(request).await, drop);
    });

    view! {
        <form
            class="form"
            method="post"
            novalidate=true
            on:submit=submit
            on:input=move |_| edits.update(|edits| *edits = edits.wrapping_add(1))
        >
            <FailureNotice form />
            <Field
                label="Email"
                name="email"
                kind="email"
                autocomplete="username"
                inputmode="email"
                node=email
                error=form.error("email")
            />
            <NewPasswordField node=password error=form.error("password") shown=password_shown hint person />
            <Field
                label="Display name"
                name="display_name"
                autocomplete="nickname"
                is_optional=true
                node=display_name
                error=form.error("display_name")
            />
            <SubmitButton
                label="Create account"
                busy_label="Creating your account…"
                ready=Signal::derive(move || session.hydrated())
                busy=form.busy()
            />
        </form>
    }
    .into_any()
}

/// A name of spaces counts as no name.
fn name_as_sent(typed: &str) -> Option<String> {
    let name = typed.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// Errors that the browser can find. The server checks everything else.
fn missing(request: &RegisterRequest, min: usize) -> Vec<(String, String)> {
    let mut missing = Vec::new();
    if request.email.trim().is_empty() {
        missing.push(("email".into(), "Enter an email; you will sign in with it.".into()));
    }
    if request.password.is_empty() {
        missing.push(("password".into(), empty_password_error(min)));
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_name_is_not_sent() {
        assert_eq!(name_as_sent("  "), None);
        assert_eq!(name_as_sent(" Ada ").as_deref(), Some("Ada"));
    }

    #[test]
    fn a_password_of_blanks_is_for_the_server_to_judge() {
        let request = RegisterRequest {
            email: "a@b.c".into(),
            password: " ".into(),
            display_name: None,
        };
        assert!(missing(&request, 15).is_empty());
    }
}
