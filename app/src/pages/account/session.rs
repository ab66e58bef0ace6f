//! The session of this page, as its access token describes it.

use std::time::Duration;

use leptos::prelude::*;

use ui::{
    account_query::use_account_query,
    components::{ErrorNotice, Placeholder, list, or_skeleton, text},
    format,
    session_ctx::use_session,
    sign_out::use_sign_out,
    token_state::TokenState,
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
    // A new token is the next generation. A lost connection changes nothing.
    let newest = Memo::new(move |before: Option<&Option<Duration>>| {
        token.get().expires_at().or(before.copied().flatten())
    });
    let query = use_account_query(move |manager, _| {
        newest.track();
        async move { manager.session_info().await }
    });
    let info = query.data();
    let sign_out = use_sign_out();
    let began = move || {
        let view = info.read().as_ref().map(|info| {
            let offset = session.platform().map_or(0, |platform| platform.utc_offset_minutes(info.auth_time));
            view! { <time datetime=format::rfc3339(info.auth_time)>{format::date_time(info.auth_time, offset)}</time> }
        });
        or_skeleton(view)
    };
    let generation = move || match info.read().as_ref() {
        Some(info) => view! { <Generation generation=info.generation /> }.into_any(),
        None => view! {
            <Placeholder />
            <span class="facts__note">
                <Placeholder length="short" />
            </span>
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
            <h2 class="card__title" id="session">
                "This session"
            </h2>
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
            <ErrorNotice failure=query.failure() retry=query.retry() />
            // Not named “Sign out”: that button is in the header of every page, and one name should mean one button.
            <div class="card__foot">
                <button
                    class="button"
                    type="button"
                    disabled=move || token.get() == TokenState::Pending
                    on:click=move |_| sign_out()
                >
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
