//! The session behind this page, as its access token tells it.

use std::time::Duration;

use api_types::session::SessionInfo;
use leptos::{prelude::*, task::spawn_local};

use crate::{
    components::{FailureText, Placeholder},
    format,
    session_ctx::use_session,
    sign_out::use_sign_out,
    words::{Attempt, Failure},
};

/// How many spent tokens the trail draws before it says how many more there were.
const TRAIL: u64 = 8;

/// When it began, how often its key has turned, and a way to end it.
#[component]
pub fn SessionCard(
    /// When the access token ends; a new one means that there is news.
    expires: Memo<Option<Duration>>,
) -> impl IntoView {
    let session = use_session();
    // A signal and not a `Resource`: what a bearer may see must never be written into the server's HTML.
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
                    failure.try_set(Some(Failure::of(&error, Attempt::LoadSession)));
                }
            }
        });
    };
    Effect::new(move |_| {
        if expires.get().is_some() {
            load();
        }
    });
    let sign_out = use_sign_out();
    let began = move || {
        let view = info.read().as_ref().map(|info| {
            let offset = session.platform().map_or(0, |platform| platform.utc_offset_minutes(info.auth_time));
            view! {
                <time datetime=format::rfc3339(info.auth_time)>{format::date_time(info.auth_time, offset)}</time>
            }
        });
        or_waiting(view)
    };
    let generation = move || {
        or_waiting(
            info.read()
                .as_ref()
                .map(|info| view! { <Generation generation=info.generation /> }),
        )
    };
    let role = move || or_waiting(info.read().as_ref().map(|info| info.role.clone()));
    view! {
        <section class="card" aria-labelledby="session">
            <h2 class="card__title" id="session">"This session"</h2>
            <dl class="facts">
                <div class="facts__row">
                    <dt>"Signed in since"</dt>
                    <dd>{began}</dd>
                </div>
                <div class="facts__row">
                    <dt>"Refresh token"</dt>
                    <dd>{generation}</dd>
                </div>
                <div class="facts__row">
                    <dt>"Role"</dt>
                    <dd>{role}</dd>
                </div>
            </dl>
            {move || {
                failure
                    .get()
                    .map(|failure| {
                        view! {
                            <FailureText failure />
                            <button class="button" type="button" on:click=move |_| load()>
                                "Try again"
                            </button>
                        }
                    })
            }}
            // Not named “Sign out”: that button is in the head of every page, and one name should mean one button.
            <div class="card__foot">
                <button class="button" type="button" on:click=move |_| sign_out()>
                    "End this session"
                </button>
                <p class="card__note">"The same as signing out: its refresh token will never work again."</p>
            </div>
        </section>
    }
}

/// What is known, or a shape in its place.
fn or_waiting(known: Option<impl IntoView + 'static>) -> AnyView {
    match known {
        Some(known) => known.into_any(),
        None => view! { <Placeholder /> }.into_any(),
    }
}

/// Which turn of the key this is: spent tokens struck through, the live one filled.
#[component]
fn Generation(generation: u64) -> impl IntoView {
    let (hidden, spent) = trail(generation);
    view! {
        <span class="generation">
            <span>{format!("number {generation}")}</span>
            <span class="generation__trail" aria-hidden="true">
                {(hidden > 0).then(|| format!("+{hidden}"))}
                {(0..spent).map(|_| view! { <span class="generation__spent"></span> }).collect_view()}
                <span class="generation__live"></span>
            </span>
        </span>
        <span class="facts__note">{turns(generation)}</span>
    }
}

/// How many spent tokens are not drawn, and how many are.
fn trail(generation: u64) -> (u64, u64) {
    let spent = generation.saturating_sub(1);
    (spent.saturating_sub(TRAIL), spent.min(TRAIL))
}

fn turns(generation: u64) -> String {
    match generation {
        0 | 1 => "The key has not turned yet.".into(),
        2 => "The key has turned once.".into(),
        3 => "The key has turned twice.".into(),
        more => format!("The key has turned {} times.", more - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_token_has_no_spent_one_behind_it() {
        assert_eq!(trail(1), (0, 0));
        assert_eq!(turns(1), "The key has not turned yet.");
    }

    #[test]
    fn a_long_trail_is_counted_and_not_drawn() {
        assert_eq!(trail(9), (0, 8));
        assert_eq!(trail(12), (3, 8));
        assert_eq!(turns(12), "The key has turned 11 times.");
    }
}
