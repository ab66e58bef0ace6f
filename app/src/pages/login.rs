//! Sign in.

use api_types::auth::LoginRequest;
use leptos::{html, prelude::*, task::spawn_local};
use session_client::{SessionView, SignedOutReason};
use ui::{
    components::{
        CookieNotice, FailureNotice, Field, FormSkeleton, Notice, PageHeading, PasswordField, SubmitButton,
        Tone, maybe,
    },
    routes,
    session_ctx::{SignOutStatus, use_session},
    submission::{Submission, typed},
    visitor_page,
    words::{self, Message, Operation},
};

use super::parts;

/// The form, the reason for signing in again, and a link to registration.
#[component]
pub fn LoginPage() -> impl IntoView {
    let next = visitor_page::use_next();
    visitor_page::redirect_when_signed_in(next);
    let shown = visitor_page::use_form_shown();
    let register = move || {
        next.get().map_or(routes::REGISTER.into(), |next| {
            routes::with_next(routes::REGISTER, &next)
        })
    };
    view! {
        <div class="page page--task">
            <PageHeading title="Sign in" />
            <SignedOutNotice />
            <CookieNotice />
            <div class="card">
                {move || {
                    if shown.get() {
                        view! { <LoginForm /> }.into_any()
                    } else {
                        view! { <FormSkeleton fields=2 label="Looking for your session" /> }.into_any()
                    }
                }}
            </div>
            <p class="page__aside">"New here? " <a href=register>"Create an account"</a></p>
        </div>
    }
    .into_any()
}

/// Why this page is shown: the person signed out, or the session ended.
#[component]
fn SignedOutNotice() -> impl IntoView {
    let session = use_session();
    on_cleanup(move || {
        if session.sign_out_status_untracked() != Some(SignOutStatus::InProgress) {
            session.set_sign_out_status(None);
        }
    });
    let reason = move || match (session.sign_out_status(), session.view()) {
        (
            _,
            SessionView::Anonymous {
                reason: Some(reason @ SignedOutReason::SignOutUnfinished),
            },
        ) => Some((Tone::Alarm, words::signed_out_reason(reason))),
        (Some(sign_out_status), SessionView::Anonymous { .. }) => {
            Some((Tone::Good, words::sign_out_status(sign_out_status)))
        }
        (None, SessionView::Anonymous { reason: Some(reason) }) => {
            Some((Tone::Plain, words::signed_out_reason(reason)))
        }
        _ => None,
    };
    let notice = |(tone, message): (Tone, Message)| {
        view! {
            <Notice tone title=message.title>
                <p>{message.body}</p>
            </Notice>
        }
    };
    view! { <div role="status">{move || maybe(reason().map(notice))}</div> }.into_any()
}

#[component]
fn LoginForm() -> impl IntoView {
    let session = use_session();
    let form = Submission::new(Operation::SignIn);
    let (email, password) = (NodeRef::<html::Input>::new(), NodeRef::<html::Input>::new());
    let remember = NodeRef::<html::Input>::new();
    let password_shown = RwSignal::new(false);

    let submit = form.on_submit(move || {
        password_shown.set(false);
        let request = LoginRequest {
            email: typed(email),
            password: typed(password),
            remember: remember.get_untracked().is_none_or(|input| input.checked()),
        };
        if form.refuse_fields(missing(&request)) {
            return;
        }
        spawn_local(parts::fetch_ahead_of_sign_in());
        // The page notices the session and sends the visitor on.
        form.send(async move |manager| manager.sign_in(request).await, drop);
    });

    view! {
        <form class="form" method="post" novalidate=true on:submit=submit>
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
            <PasswordField
                autocomplete="current-password"
                node=password
                error=form.error("password")
                shown=password_shown
            />
            <div class="check">
                <input
                    class="check__box"
                    type="checkbox"
                    id="remember"
                    name="remember"
                    checked=true
                    aria-describedby="remember-hint"
                    node_ref=remember
                />
                <label for="remember">"Keep me signed in"</label>
                <p class="check__hint" id="remember-hint">
                    "Untick this on a computer that others use. The session then ends when the browser is closed, or "
                    "after 12 hours without use."
                </p>
            </div>
            <SubmitButton
                label="Sign in"
                busy_label="Signing in…"
                ready=Signal::derive(move || session.hydrated())
                busy=form.busy()
            />
        </form>
    }
    .into_any()
}

/// Errors that the browser can find. The server checks everything else.
fn missing(request: &LoginRequest) -> Vec<(String, String)> {
    let mut missing = Vec::new();
    if request.email.trim().is_empty() {
        missing.push(("email".into(), "Enter the email of your account.".into()));
    }
    if request.password.is_empty() {
        missing.push(("password".into(), "Enter your password.".into()));
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(email: &str, password: &str) -> LoginRequest {
        LoginRequest {
            email: email.into(),
            password: password.into(),
            remember: true,
        }
    }

    #[test]
    fn only_emptiness_is_refused_here() {
        assert_eq!(missing(&request(" ", "")).len(), 2);
        assert!(missing(&request("not an email", " ")).is_empty());
    }
}
