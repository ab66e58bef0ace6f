//! The account's security events.

use api_types::account::{EventEntry, EventPage};
use leptos::{html, prelude::*, task::spawn_local};

use ui::{
    account_query::load_when_signed_in,
    account_query::retry_while_failing,
    components::{ErrorNotice, Icon, Placeholder, Shape, list, maybe},
    format,
    session_ctx::use_session,
    words::{Failure, Operation, event, how_often, origin},
};

/// The newest first, one page at a time.
#[component]
pub fn TimelineCard() -> impl IntoView {
    let session = use_session();
    let events = RwSignal::new(None::<Vec<EventEntry>>);
    let next = RwSignal::new(None::<String>);
    let failure = RwSignal::new(None::<Failure>);
    let busy = RwSignal::new(false);
    // The cursor of the page that was requested last.
    let asked = StoredValue::new(None::<String>);
    // The first entry of a further page takes the focus: the button may be gone, and reading continues there.
    let first_new = StoredValue::new(None::<String>);

    let take = move |page: EventPage, keep: bool| {
        let new = page.events.first().filter(|_| keep);
        first_new.try_set_value(new.map(|event| event.id.clone()));
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
        asked.set_value(before.clone());
        spawn_local(async move {
            let page = manager.events(before.as_deref()).await;
            busy.try_set(false);
            match page {
                Ok(page) => take(page, before.is_some()),
                Err(error) => {
                    failure.try_set(Some(Failure::of(&error, Operation::LoadSession)));
                }
            }
        });
    };
    let try_again = move || load(asked.get_value());
    retry_while_failing(failure, try_again);
    load_when_signed_in(
        session,
        move || load(None),
        move || {
            events.set(None);
            next.set(None);
        },
    );

    let rows = move || match events.get() {
        Some(found) => list(found.into_iter().map(|entry| {
            let takes_focus = first_new.with_value(|first| first.as_ref() == Some(&entry.id));
            view! { <Entry entry takes_focus /> }
        })),
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
            <ErrorNotice failure retry=Callback::new(move |()| try_again()) />
            <ol class="timeline" aria-busy=move || if events.read().is_none() { "true" } else { "false" }>
                {move || rows()}
            </ol>
            {move || maybe(next.get().map(more))}
        </section>
    }
    .into_any()
}

#[component]
fn Entry(entry: EventEntry, takes_focus: bool) -> impl IntoView {
    let session = use_session();
    let node = NodeRef::<html::Li>::new();
    if takes_focus {
        Effect::new(move |_| {
            if let Some(entry) = node.get() {
                let _ = entry.focus();
            }
        });
    }
    let offset = session
        .platform()
        .map_or(0, |platform| platform.utc_offset_minutes(entry.at));
    let words = event(&entry.kind);
    let shape = if words.alarm { Shape::Alert } else { Shape::Dot };
    let from = origin(&entry);
    let count = entry.count.filter(|count| *count > 1).map(how_often);
    view! {
        <li
            class=if words.alarm { "timeline__entry timeline__entry--alarm" } else { "timeline__entry" }
            tabindex=takes_focus.then_some("-1")
            node_ref=node
        >
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
