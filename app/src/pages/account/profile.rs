//! The profile: email, date of registration, display name.

use api_types::auth::{UpdateMeRequest, User};
use leptos::{html, prelude::*};

use ui::{
    components::{FailureNotice, Field, Placeholder, SubmitButton, or_skeleton, use_toasts},
    format,
    session_ctx::use_session,
    submission::{Submission, typed},
    words::Operation,
};

/// Email, the date of registration, and a display name that can be changed.
#[component]
pub fn ProfileCard(
    /// The signed-in user, if known.
    user: Memo<Option<User>>,
) -> impl IntoView {
    let session = use_session();
    let known = Memo::new(move |_| user.read().is_some());
    let email = move || or_skeleton(user.read().as_ref().map(|user| user.email.clone()));
    let since = move || {
        or_skeleton(user.read().as_ref().map(|user| {
            let offset = session
                .platform()
                .map_or(0, |platform| platform.utc_offset_minutes(user.created_at));
            view! { <time datetime=format::rfc3339(user.created_at)>{format::date(user.created_at, offset)}</time> }
        }))
    };
    // Built once the user is known, and not again after the name is saved, because the field is in use.
    let name_form = move || {
        if known.get() {
            let name = user
                .get_untracked()
                .and_then(|user| user.display_name)
                .unwrap_or_default();
            view! { <NameForm name /> }.into_any()
        } else {
            view! { <NameSkeleton /> }.into_any()
        }
    };
    view! {
        <section class="card" aria-labelledby="profile">
            <h2 class="card__title" id="profile">
                "Profile"
            </h2>
            <dl class="facts">
                <div class="facts__row facts__row--long">
                    <dt>"Signs in as"</dt>
                    <dd>{move || email()}</dd>
                </div>
                <div class="facts__row">
                    <dt>"Member since"</dt>
                    <dd>{move || since()}</dd>
                </div>
            </dl>
            {move || name_form()}
        </section>
    }
    .into_any()
}

/// The placeholder of the form below, of the same height.
#[component]
fn NameSkeleton() -> impl IntoView {
    view! {
        <div class="form" aria-hidden="true">
            <div class="field">
                <p>
                    <Placeholder length="short" />
                </p>
                <span class="placeholder placeholder--input"></span>
            </div>
            <span class="placeholder placeholder--button"></span>
        </div>
    }
    .into_any()
}

#[component]
fn NameForm(name: String) -> impl IntoView {
    let session = use_session();
    let form = Submission::new(Operation::SaveProfile);
    let input = NodeRef::<html::Input>::new();
    let toasts = use_toasts();

    let submit = form.on_submit(move || {
        let request = change(&typed(input));
        form.send(
            async move |manager| manager.update_me(request).await,
            move |_| toasts.say("Saved."),
        );
    });

    view! {
        <form class="form" method="post" novalidate=true on:submit=submit>
            <FailureNotice form />
            <Field
                label="Display name"
                name="display_name"
                autocomplete="nickname"
                is_optional=true
                node=input
                error=form.error("display_name")
                value=name
            />
            <div class="form__row">
                <SubmitButton
                    label="Save name"
                    busy_label="Saving…"
                    ready=Signal::derive(move || session.hydrated())
                    busy=form.busy()
                    class=""
                />
            </div>
        </form>
    }
    .into_any()
}

/// An empty field removes the name.
fn change(typed: &str) -> UpdateMeRequest {
    let name = typed.trim();
    UpdateMeRequest {
        display_name: Some((!name.is_empty()).then(|| name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emptied_field_removes_the_name() {
        assert_eq!(change(" ").display_name, Some(None));
        assert_eq!(change(" Ada ").display_name, Some(Some("Ada".into())));
    }
}
