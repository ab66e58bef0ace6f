//! The account: who you are here, your session, and where your tokens are.

pub mod profile;
pub mod session;
pub mod tokens;

use std::time::Duration;

use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};
use session_client::SessionView;

use self::{profile::ProfileCard, session::SessionCard, tokens::TokenPanel};
use crate::{
    components::{PageHeading, Placeholder},
    respond, routes,
    session_ctx::{Presence, use_session},
};

/// For the signed-in; others are sent to sign in and come back.
#[component]
pub fn AccountPage() -> impl IntoView {
    let session = use_session();
    let signed_in = Memo::new(move |_| matches!(session.presence(), Presence::SignedIn(_)));
    let turned_away = Memo::new(move |_| session.presence() == Presence::Anonymous);
    if turned_away.get_untracked() {
        respond::redirect(&routes::with_next(routes::LOGIN, routes::ACCOUNT));
    }
    let navigate = use_navigate();
    Effect::new(move |_| {
        if session.hydrated() && turned_away.get() {
            // Somebody who just signed out is not asked to come back.
            let signed_out = session.farewell_untracked().is_some();
            let to = if signed_out {
                routes::LOGIN.into()
            } else {
                routes::with_next(routes::LOGIN, routes::ACCOUNT)
            };
            navigate(
                &to,
                NavigateOptions {
                    replace: true,
                    ..NavigateOptions::default()
                },
            );
        }
    });
    view! {
        <div class="page account">
            <PageHeading title="Your account" />
            {move || {
                if signed_in.get() {
                    view! { <Content /> }.into_any()
                } else {
                    view! { <Skeleton /> }.into_any()
                }
            }}
        </div>
    }
}

#[component]
fn Content() -> impl IntoView {
    let session = use_session();
    let now = use_ticking_clock();
    let expires = Memo::new(move |_| match session.view() {
        SessionView::SignedIn { expires_at, .. } => Some(expires_at),
        _ => None,
    });
    view! {
        <div class="account__grid">
            <div class="account__main">
                <ProfileCard />
                <SessionCard expires />
            </div>
            <TokenPanel expires now />
        </div>
    }
}

/// The manager's clock, read once a second while the page is shown.
fn use_ticking_clock() -> RwSignal<Duration> {
    let session = use_session();
    let read = move || session.manager().map(|manager| manager.now()).unwrap_or_default();
    let now = RwSignal::new(read());
    Effect::new(move |_| {
        let interval = set_interval_with_handle(
            move || {
                now.try_set(read());
            },
            Duration::from_secs(1),
        );
        if let Ok(interval) = interval {
            on_cleanup(move || interval.clear());
        }
    });
    now
}

/// The same cards with nothing in them yet, of the same size.
#[component]
fn Skeleton() -> impl IntoView {
    view! {
        <p class="sr-only" role="status">"Looking for your session"</p>
        <div class="account__grid" aria-hidden="true">
            <div class="account__main">
                <div class="card">
                    <p class="card__title">"Profile"</p>
                    <SkeletonFacts rows=2 />
                    <div class="field">
                        <Placeholder length="short" />
                        <span class="placeholder placeholder--input"></span>
                    </div>
                    <span class="placeholder placeholder--button"></span>
                </div>
                <div class="card">
                    <p class="card__title">"This session"</p>
                    <SkeletonFacts rows=3 />
                    <span class="placeholder placeholder--button"></span>
                </div>
            </div>
            <div class="card tokens">
                <p class="card__title">"Where your tokens are right now"</p>
                <ul class="tokens__list">
                    {(0..3)
                        .map(|_| {
                            view! {
                                <li class="tokens__item">
                                    <span class="placeholder placeholder--icon"></span>
                                    <div class="tokens__text">
                                        <p><Placeholder length="short" /></p>
                                        <p><Placeholder length="long" /></p>
                                        <p><Placeholder /></p>
                                    </div>
                                </li>
                            }
                        })
                        .collect_view()}
                </ul>
            </div>
        </div>
    }
}

#[component]
fn SkeletonFacts(rows: usize) -> impl IntoView {
    view! {
        <div class="facts">
            {(0..rows)
                .map(|_| {
                    view! {
                        <div class="facts__row">
                            <p><Placeholder length="short" /></p>
                            <p><Placeholder /></p>
                        </div>
                    }
                })
                .collect_view()}
        </div>
    }
}
