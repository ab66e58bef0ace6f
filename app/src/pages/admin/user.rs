//! One account, and the actions on it.

use api_types::admin::UserEntry;
use leptos::{html, prelude::*, task::spawn_local};
use session_client::{ApiError, SessionManager};

use super::confirm_dialog::ConfirmDialog;

use ui::{
    account_query::retry_while_failing,
    components::{ErrorNotice, Placeholder, maybe, text},
    format, routes,
    session_ctx::use_session,
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
    let session = use_session();
    let email = StoredValue::new(user.email.clone());
    let user = RwSignal::new(user);
    let asked = RwSignal::new(None::<AdminAction>);
    // The button that asked the question; it gets the focus back if the answer is no.
    let asked_by = StoredValue::new(None::<AdminAction>);
    let busy = RwSignal::new(false);
    let said = RwSignal::new(String::new());
    let (failure, not_loaded) = (RwSignal::new(None::<Failure>), RwSignal::new(None::<Failure>));
    let heading = NodeRef::<html::H2>::new();
    if takes_focus {
        Effect::new(move |_| {
            if let Some(heading) = heading.get() {
                let _ = heading.focus();
            }
        });
    }

    let perform = move |action: AdminAction| {
        let Some(manager) = session.manager().filter(|_| !busy.get_untracked()) else {
            return;
        };
        busy.set(true);
        failure.set(None);
        let before = user.get_untracked();
        spawn_local(async move {
            let done = perform(&manager, action, &before.id).await;
            let now = match &done {
                Ok(()) => look_again(&manager, &before).await,
                Err(_) => Ok(None),
            };
            // The list may show another search by now, without this row.
            if busy.try_set(false).is_some() {
                return;
            }
            let done = done.map(|()| {
                said.set(action.done(&before.email));
                asked_by.set_value(None);
                asked.set(None);
                focus_when_drawn(heading);
            });
            match now {
                Ok(Some(now)) => user.set(now),
                // Deleted in between, or its email has changed: the next search shows it.
                Ok(None) => {}
                Err(error) => not_loaded.set(Some(Failure::of(&error, Operation::LoadSession))),
            }
            if let Err(error) = done {
                failure.set(Some(Failure::of(&error, Operation::ChangeUser)));
            }
        });
    };
    let look = move || {
        let Some(manager) = session.manager() else { return };
        let before = user.get_untracked();
        spawn_local(async move {
            match look_again(&manager, &before).await {
                Ok(now) => {
                    not_loaded.try_set(None);
                    if let Some(now) = now {
                        user.try_set(now);
                    }
                }
                Err(error) => {
                    not_loaded.try_set(Some(Failure::of(&error, Operation::LoadSession)));
                }
            }
        });
    };
    retry_while_failing(not_loaded, look);
    let choose = move |action: AdminAction| {
        said.set(String::new());
        failure.set(None);
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
        view! { <ActionButton action name busy=busy.into() takes_focus choose=Callback::new(choose) /> }
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
                    busy=busy.into()
                    yes=Callback::new(move |()| perform(action))
                    no=Callback::new(move |()| asked.set(None))
                />
            }
            .into_any(),
            None if disabled.get() => {
                view! { <div class="entry__deeds">{button(AdminAction::Enable)}</div> }.into_any()
            }
            None => view! {
                <div class="entry__deeds">{button(AdminAction::Disable)} {button(AdminAction::EndSessions)}</div>
            }
            .into_any(),
        }
    };
    view! {
        <li class="entry">
            <div class="entry__text">
                <h2 class="entry__name" tabindex="-1" node_ref=heading>{email.get_value()}</h2>
                {move || view! { <Facts user=user.get() is_own /> }}
            </div>
            {move || foot()}
            <div class="entry__news">
                <p class="form__saved" role="status">{move || text(said.get())}</p>
                <ErrorNotice failure />
                <ErrorNotice failure=not_loaded retry=Callback::new(move |()| look()) />
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
            {maybe(name.map(|name| view! { {name} " · " }))} {role} " · member since "
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
            <a href=routes::ACCOUNT_SECURITY>"Security"</a>
            "."
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
pub fn UserShape() -> impl IntoView {
    view! {
        <li class="entry" aria-hidden="true">
            <div class="entry__text">
                <p class="entry__name"><Placeholder /></p>
                <p><Placeholder length="medium" /></p>
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
async fn look_again(manager: &SessionManager, before: &UserEntry) -> Result<Option<UserEntry>, ApiError> {
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
