//! The account's security events.

use api_types::account::EventEntry;
use leptos::{html, prelude::*};

use ui::{
    components::{ErrorNotice, Icon, MoreButton, Placeholder, Shape, list, maybe},
    format,
    paged_query::use_paged_query,
    session_ctx::use_session,
    words::{event, how_often, origin},
};

/// The newest first, one page at a time.
#[component]
pub fn TimelineCard() -> impl IntoView {
    let timeline = use_paged_query(|manager, request| async move {
        let page = manager.events(request.after.as_deref()).await?;
        Ok((page.events, page.next))
    });
    let (events, has_more) = (timeline.query(), timeline.has_more());

    let rows = move || match events.data().get() {
        Some(pages) => list(pages.entries.into_iter().map(|entry| {
            // The button may be gone, and reading continues with the first new entry.
            let takes_focus = pages.first_new.as_ref() == Some(&entry.id);
            view! { <TimelineEntry entry takes_focus /> }
        })),
        None => list((0..3).map(|_| view! { <TimelineSkeleton /> })).into_any(),
    };
    let more = move || {
        view! { <MoreButton label="Show earlier" busy=events.busy() load_more=move |()| timeline.load_more() /> }
    };
    view! {
        <section class="card" aria-labelledby="timeline">
            <h2 class="card__title" id="timeline">
                "What happened"
            </h2>
            <ErrorNotice failure=events.failure() retry=events.retry() />
            <ol
                class="timeline"
                aria-busy=move || if events.data().read().is_none() { "true" } else { "false" }
            >
                {move || rows()}
            </ol>
            {move || maybe(has_more.get().then(more))}
        </section>
    }
    .into_any()
}

#[component]
fn TimelineEntry(entry: EventEntry, takes_focus: bool) -> impl IntoView {
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
                <p class="timeline__what">
                    {words.title}
                    {maybe(
                        count
                            .map(|count| {
                                view! {
                                    ", "
                                    {count}
                                }
                            }),
                    )}
                </p>
                {maybe(words.advice.map(|advice| view! { <p>{advice}</p> }))}
                <p>
                    <time datetime=format::rfc3339(entry.at)>{format::date_time(entry.at, offset)}</time>
                    {maybe(
                        from
                            .map(|from| {
                                view! {
                                    " · "
                                    {from}
                                }
                            }),
                    )}
                </p>
            </div>
        </li>
    }
    .into_any()
}

#[component]
fn TimelineSkeleton() -> impl IntoView {
    view! {
        <li class="timeline__entry" aria-hidden="true">
            <Icon shape=Shape::Dot class="timeline__icon" />
            <div class="timeline__text">
                <p class="timeline__what">
                    <Placeholder length="short" />
                </p>
                <p>
                    <Placeholder />
                </p>
            </div>
        </li>
    }
    .into_any()
}
