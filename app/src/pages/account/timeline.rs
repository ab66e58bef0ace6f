//! What happened to the account.

use api_types::account::{EventEntry, EventPage};
use leptos::{prelude::*, task::spawn_local};

use super::load_when_signed_in;
use crate::{
    components::{FailureText, Icon, Placeholder, Shape, list, maybe},
    format,
    session_ctx::use_session,
    words::{Attempt, Failure, event, how_often, origin},
};

/// The newest first, a page at a time.
#[component]
pub fn TimelineCard() -> impl IntoView {
    let session = use_session();
    let events = RwSignal::new(None::<Vec<EventEntry>>);
    let next = RwSignal::new(None::<String>);
    let failure = RwSignal::new(None::<Failure>);
    let busy = RwSignal::new(false);

    let take = move |page: EventPage, keep: bool| {
        events.try_update(|events| {
            let before = events.take().filter(|_| keep).unwrap_or_default();
            *events = Some(before.into_iter().chain(page.events).collect());
        });
        next.try_set(page.next);
        failure.try_set(None);
    };
    let load = move |before: Option<String>| {
        let Some(manager) = session.manager().filter(|_| !busy.get_untracked()) else {
            return;
        };
        busy.set(true);
        spawn_local(async move {
            let page = manager.events(before.as_deref()).await;
            busy.try_set(false);
            match page {
                Ok(page) => take(page, before.is_some()),
                Err(error) => {
                    failure.try_set(Some(Failure::of(&error, Attempt::LoadSession)));
                }
            }
        });
    };
    load_when_signed_in(
        session,
        move || load(None),
        move || {
            events.set(None);
            next.set(None);
        },
    );

    let rows = move || match events.get() {
        Some(found) => list(found.into_iter().map(|entry| view! { <Entry entry /> })).into_any(),
        None => list((0..3).map(|_| view! { <EntryShape /> })).into_any(),
    };
    let more = move |before: String| {
        view! {
            <button
                class="button"
                type="button"
                aria-disabled=move || busy.get().then_some("true")
                on:click=move |_| load(Some(before.clone()))
            >
                "Show earlier"
            </button>
        }
    };
    view! {
        <section class="card" aria-labelledby="timeline">
            <h2 class="card__title" id="timeline">"What happened"</h2>
            <div role="alert">{move || maybe(failure.get().map(|failure| view! { <FailureText failure /> }))}</div>
            <ol class="timeline" aria-busy=move || if events.read().is_none() { "true" } else { "false" }>
                {move || rows()}
            </ol>
            {move || maybe(next.get().map(more))}
        </section>
    }
    .into_any()
}

#[component]
fn Entry(entry: EventEntry) -> impl IntoView {
    let session = use_session();
    let offset = session
        .platform()
        .map_or(0, |platform| platform.utc_offset_minutes(entry.at));
    let words = event(&entry.kind);
    let shape = if words.alarm { Shape::Alert } else { Shape::Dot };
    let from = origin(&entry);
    let count = entry.count.filter(|count| *count > 1).map(how_often);
    view! {
        <li class=if words.alarm { "timeline__entry timeline__entry--alarm" } else { "timeline__entry" }>
            <Icon shape class="timeline__icon" />
            <div class="timeline__text">
                <p class="timeline__what">{words.title} {maybe(count.map(|count| view! { ", " {count} }))}</p>
                {maybe(words.advice.map(|advice| view! { <p>{advice}</p> }))}
                <p>
                    <time datetime=format::rfc3339(entry.at)>{format::date_time(entry.at, offset)}</time>
                    {maybe(from.map(|from| view! { " · " {from} }))}
                </p>
            </div>
        </li>
    }
    .into_any()
}

#[component]
fn EntryShape() -> impl IntoView {
    view! {
        <li class="timeline__entry" aria-hidden="true">
            <Icon shape=Shape::Dot class="timeline__icon" />
            <div class="timeline__text">
                <p class="timeline__what"><Placeholder length="short" /></p>
                <p><Placeholder /></p>
            </div>
        </li>
    }
    .into_any()
}
