//! One account, and the actions on it.

use api_types::admin::UserEntry;
use leptos::{html, prelude::*};
use session_client::{ApiError, SessionManager};

use super::confirm_dialog::ConfirmDialog;

use ui::{
    account_query::retry_while_failing,
    components::{ErrorNotice, Placeholder, maybe, text},
    format, routes,
    session_ctx::use_session,
    submission::Submission,
    words::{AdminAction, Failure, Operation},
};

/// The account and its buttons. The row itself shows and announces the results.
#[component]
pub fn UserRow(
    /// The account as the list returned it.
    user: UserEntry,
    /// Whether it is the account of the signed-in administrator.
    is_own: bool,
    /// Whether the focus moves here.
    takes_focus: bool,
) -> impl IntoView {
    let email = StoredValue::new(user.email.clone());
    let user = RwSignal::new(user);
    let asked = RwSignal::new(None::<AdminAction>);
    // The button that asked the question; it gets the focus back if the answer is no.
    let asked_by = StoredValue::new(None::<AdminAction>);
    let said = RwSignal::new(String::new());
    let (change, reload) = (
        Submission::new(Operation::ChangeUser),
        Submission::new(Operation::LoadSession),
    );
    let heading = NodeRef::<html::H2>::new();
    if takes_focus {
        Effect::new(move |_| {
            if let Some(heading) = heading.get() {
                let _ = heading.focus();
            }
        });
    }

    // Deleted in between, or its email has changed: then the next search shows it.
    let show = move |now: Option<UserEntry>| {
        if let Some(now) = now {
            user.try_set(now);
        }
    };
    let perform = move |action: AdminAction| {
        let before = user.get_untracked();
        let email = before.email.clone();
        change.send(
            async move |manager| {
                perform(&manager, action, &before.id).await?;
                Ok(current_state(&manager, &before).await)
            },
            move |now| {
                // The list may show another search by now, without this row.
                if said.try_set(action.done(&email)).is_some() {
                    return;
                }
                asked_by.set_value(None);
                asked.set(None);
                focus_when_drawn(heading);
                match now {
                    Ok(now) => show(now),
                    Err(error) => reload.refuse(Failure::of(&error, Operation::LoadSession)),
                }
            },
        );
    };
    let load_again = move || {
        let before = user.get_untracked();
        reload.send(async move |manager| current_state(&manager, &before).await, show);
    };
    retry_while_failing(reload.failure(), load_again);
    let choose = move |action: AdminAction| {
        said.set(String::new());
        change.clear();
        let question = email.with_value(|email| action.question(email));
        if question.is_some() {
            asked_by.set_value(Some(action));
            asked.set(Some(action));
        } else {
            perform(action);
        }
    };

    let button = move |action: AdminAction| {
        let takes_focus = asked_by.get_value() == Some(action);
        let name = email.with_value(|email| action.name(email));
        view! { <ActionButton action name busy=change.busy() takes_focus choose=Callback::new(choose) /> }
    };
    let disabled = Memo::new(move |_| user.read().disabled_at.is_some());
    let foot = move || {
        let question = asked.get().and_then(|action| {
            let question = email.with_value(|email| action.question(email))?;
            Some((action, question))
        });
        match question {
            _ if is_own => view! { <OwnNote /> }.into_any(),
            Some((action, question)) => view! {
                <ConfirmDialog
                    id=user.with_untracked(|user| format!("question-{}", user.id))
                    question
                    busy_label=action.busy_label()
                    busy=change.busy()
                    yes=Callback::new(move |()| perform(action))
                    no=Callback::new(move |()| asked.set(None))
                />
            }
            .into_any(),
            None if disabled.get() => {
                view! { <div class="entry__deeds">{button(AdminAction::Enable)}</div> }.into_any()
            }
            None => view! { <div class="entry__deeds">{button(AdminAction::Disable)} {button(AdminAction::EndSessions)}</div> }
            .into_any(),
        }
    };
    view! {
        <li class="entry">
            <div class="entry__text">
                <h2 class="entry__name" tabindex="-1" node_ref=heading>
                    {email.get_value()}
                </h2>
                {move || view! { <Facts user=user.get() is_own /> }}
            </div>
            {move || foot()}
            <div class="entry__news">
                <p class="form__saved" role="status">
                    {move || text(said.get())}
                </p>
                <ErrorNotice failure=change.failure() />
                <ErrorNotice failure=reload.failure() retry=Callback::new(move |()| load_again()) />
            </div>
        </li>
    }
    .into_any()
}

/// The account's facts other than its email.
#[component]
fn Facts(user: UserEntry, is_own: bool) -> impl IntoView {
    let platform = use_session().platform();
    let offset = move |at| {
        platform
            .as_ref()
            .map_or(0, |platform| platform.utc_offset_minutes(at))
    };
    let name = user.display_name.filter(|name| !name.is_empty());
    let since = offset(user.created_at);
    let role = match user.role.as_str() {
        api_types::admin::ROLE => "administrator",
        _ => "user",
    };
    let own = is_own.then(|| view! { <span class="mark mark--safe">"you"</span> }.into_any());
    let disabled = user.disabled_at.map(|at| {
        view! {
            <span class="mark mark--exposed">
                // One box for both, otherwise the space between them is lost.
                <span>
                    "disabled since "
                    <time datetime=format::rfc3339(at)>{format::date_time(at, offset(at))}</time>
                </span>
            </span>
        }
        .into_any()
    });
    let marks: Vec<_> = [own, disabled].into_iter().flatten().collect();
    let marks = (!marks.is_empty()).then(|| view! { <p class="user__marks">{marks}</p> });
    view! {
        <p>
            {maybe(
                name
                    .map(|name| {
                        view! {
                            {name}
                            " · "
                        }
                    }),
            )} {role} " · member since "
            <time datetime=format::rfc3339(user.created_at)>{format::date(user.created_at, since)}</time>
        </p>
        {maybe(marks)}
    }
    .into_any()
}

/// In place of the buttons: the server refuses to disable the account that asks. To end its own sessions there is
/// another page, which explains the consequences.
#[component]
fn OwnNote() -> impl IntoView {
    view! {
        <p class="user__note">
            "You cannot disable your own account: ask another administrator. To end your sessions, go to "
            <a href=routes::ACCOUNT_SECURITY>"Security"</a> "."
        </p>
    }
    .into_any()
}

#[component]
fn ActionButton(
    /// The action.
    action: AdminAction,
    /// The accessible name.
    name: String,
    /// Whether an action on this account is under way.
    busy: Signal<bool>,
    /// Whether the focus returns here.
    takes_focus: bool,
    /// Starts the action.
    choose: Callback<AdminAction>,
) -> impl IntoView {
    let node = NodeRef::<html::Button>::new();
    if takes_focus {
        Effect::new(move |_| {
            if let Some(button) = node.get() {
                let _ = button.focus();
            }
        });
    }
    view! {
        <button
            class="button"
            type="button"
            aria-label=name
            aria-disabled=move || busy.get().then_some("true")
            on:click=move |_| choose.run(action)
            node_ref=node
        >
            {move || text(if busy.get() { action.busy_label() } else { action.label() })}
        </button>
    }
    .into_any()
}

/// The placeholder of one row.
#[component]
pub fn UserSkeleton() -> impl IntoView {
    view! {
        <li class="entry" aria-hidden="true">
            <div class="entry__text">
                <p class="entry__name">
                    <Placeholder />
                </p>
                <p>
                    <Placeholder length="medium" />
                </p>
            </div>
            <span class="placeholder placeholder--button"></span>
        </li>
    }
    .into_any()
}

async fn perform(manager: &SessionManager, action: AdminAction, id: &str) -> Result<(), ApiError> {
    match action {
        AdminAction::Disable => manager.disable_user(id).await,
        AdminAction::Enable => manager.enable_user(id).await,
        AdminAction::EndSessions => manager.end_user_sessions(id).await,
    }
}

/// Loads the current state of the account. The response to an action only says that it is done, and a time from this
/// browser's clock would be a guess.
async fn current_state(manager: &SessionManager, before: &UserEntry) -> Result<Option<UserEntry>, ApiError> {
    let mut after = None;
    loop {
        // Its email may be part of many others, of older accounts.
        let page = manager.users(&before.email, after.as_deref()).await?;
        let found = page.users.into_iter().find(|user| user.id == before.id);
        after = page.next;
        if found.is_some() || after.is_none() {
            return Ok(found);
        }
    }
}

/// When the button that was clicked is gone, the focus moves to the account's heading.
fn focus_when_drawn(heading: NodeRef<html::H2>) {
    request_animation_frame(move || {
        if let Some(heading) = heading.try_get_untracked().flatten() {
            let _ = heading.focus();
        }
    });
}
