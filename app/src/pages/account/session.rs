//! The session of this page, as its access token describes it.

use api_types::session::SessionInfo;
use leptos::{prelude::*, task::spawn_local};

use ui::{
    account_query::TokenState,
    account_query::retry_while_failing,
    components::or_skeleton,
    components::{ErrorNotice, Placeholder, list, text},
    format,
    session_ctx::use_session,
    sign_out::use_sign_out,
    words::{Failure, Operation},
};

/// The number of used tokens that the trail draws; it counts the others.
const TRAIL: u64 = 5;

/// When the session began, how often its refresh token was rotated, and a button to end it.
#[component]
pub fn SessionCard(
    /// The access token; a new one triggers a reload.
    token: Memo<TokenState>,
) -> impl IntoView {
    let session = use_session();
    // A signal and not a `Resource`: data of the signed-in user must never be written into the server's HTML.
    let info = RwSignal::new(None::<SessionInfo>);
    let failure = RwSignal::new(None::<Failure>);
    let load = move || {
        let Some(manager) = session.manager() else { return };
        spawn_local(async move {
            match manager.session_info().await {
                Ok(news) => {
                    info.try_set(Some(news));
                    failure.try_set(None);
                }
                Err(error) => {
                    failure.try_set(Some(Failure::of(&error, Operation::LoadSession)));
                }
            }
        });
    };
    Effect::new(move |_| {
        match token.get() {
            TokenState::Held(_) => load(),
            // Data on display stays valid while the connection is lost. When the session ends, all of it is removed.
            TokenState::Unreachable | TokenState::Missing => {}
            TokenState::Waiting => info.set(None),
        }
    });
    retry_while_failing(failure, load);
    let sign_out = use_sign_out();
    let began = move || {
        let view = info.read().as_ref().map(|info| {
            let offset = session.platform().map_or(0, |platform| platform.utc_offset_minutes(info.auth_time));
            view! {
                <time datetime=format::rfc3339(info.auth_time)>{format::date_time(info.auth_time, offset)}</time>
            }
        });
        or_skeleton(view)
    };
    let generation = move || match info.read().as_ref() {
        Some(info) => view! { <Generation generation=info.generation /> }.into_any(),
        None => view! {
            <Placeholder />
            <span class="facts__note"><Placeholder length="short" /></span>
        }
        .into_any(),
    };
    let loaded = move || {
        let words = info
            .read()
            .as_ref()
            .and_then(|_| session.manager())
            .map(|manager| match manager.request_log().restored_after() {
                Some(took) => format!("knew you {} ms after it began to load", took.as_millis()),
                None => "was there before you signed in, or took more than one try".into(),
            });
        or_skeleton(words)
    };
    let role = move || or_skeleton(info.read().as_ref().map(|info| info.role.clone()));
    view! {
        <section class="card" aria-labelledby="session">
            <h2 class="card__title" id="session">"This session"</h2>
            <dl class="facts">
                <div class="facts__row">
                    <dt>"Signed in since"</dt>
                    <dd>{move || began()}</dd>
                </div>
                <div class="facts__row">
                    <dt>"Refresh token"</dt>
                    <dd>{move || generation()}</dd>
                </div>
                <div class="facts__row">
                    <dt>"This page"</dt>
                    <dd>{move || loaded()}</dd>
                </div>
                <div class="facts__row">
                    <dt>"Role"</dt>
                    <dd>{move || role()}</dd>
                </div>
            </dl>
            <ErrorNotice failure retry=Callback::new(move |()| load()) />
            // Not named “Sign out”: that button is in the header of every page, and one name should mean one button.
            <div class="card__foot">
                <button class="button" type="button" disabled=move || token.get() == TokenState::Waiting on:click=move |_| sign_out()>
                    "End this session"
                </button>
                <p class="card__note">"The same as signing out: its refresh token will never work again."</p>
            </div>
        </section>
    }
    .into_any()
}

/// The generation of the refresh token: used tokens are struck through, the live one is filled.
#[component]
fn Generation(generation: u64) -> impl IntoView {
    let (hidden, spent) = trail(generation);
    view! {
        <span class="generation">
            <span>{format!("number {generation}")}</span>
            <span class="generation__trail" aria-hidden="true">
                {text(if hidden > 0 { format!("+{hidden}") } else { String::new() })}
                {list((0..spent).map(|_| view! { <span class="generation__spent"></span> }))}
                <span class="generation__live"></span>
            </span>
        </span>
        <span class="facts__note">{turns(generation)}</span>
    }
    .into_any()
}

/// The number of used tokens that are not drawn, and of those that are.
fn trail(generation: u64) -> (u64, u64) {
    let spent = generation.saturating_sub(1);
    (spent.saturating_sub(TRAIL), spent.min(TRAIL))
}

fn turns(generation: u64) -> String {
    match generation {
        0 | 1 => "The key has not turned.".into(),
        2 => "The key turned once.".into(),
        3 => "The key turned twice.".into(),
        more => format!("The key turned {} times.", more - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_token_has_no_spent_one_behind_it() {
        assert_eq!(trail(1), (0, 0));
        assert_eq!(turns(1), "The key has not turned.");
    }

    #[test]
    fn a_long_trail_is_counted_and_not_drawn() {
        assert_eq!(trail(6), (0, 5));
        assert_eq!(trail(12), (6, 5));
        assert_eq!(turns(12), "The key turned 11 times.");
    }
}
