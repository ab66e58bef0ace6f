//! What a visitor can choose before a run.

use lab_types::{Concurrency, Defence};
use leptos::prelude::*;
use ui::{
    components::{list, text},
    session_ctx::use_session,
};

use crate::{
    components::Slider,
    labels,
    prose::{self, Prose},
};

/// Selects the defence to turn off. The server's HTML explains each defence.
pub fn defences(without: RwSignal<Option<Defence>>) -> AnyView {
    let session = use_session();
    let choice = move |defence: Option<Defence>| {
        let id = defence.map_or("none", Defence::slug);
        view! {
            <div class="check">
                <input
                    class="check__box"
                    type="radio"
                    name="without"
                    id=format!("without-{id}")
                    value=id
                    checked=defence.is_none()
                    prop:checked=move || without.get() == defence
                    autocomplete="off"
                    disabled=move || !session.hydrated()
                    on:change=move |_| without.set(defence)
                />
                <label for=format!(
                    "without-{id}",
                )>{defence.map_or("None: all of them are on", labels::defence)}</label>
                <p class="check__hint" inner_html=prose::html(Prose::Without(defence))></p>
            </div>
        }
    };
    let all = std::iter::once(None).chain(Defence::ALL.iter().copied().map(Some));
    view! {
        <details class="details">
            <summary>
                "Without a defence: " {move || text(without.get().map_or("none", labels::defence))}
            </summary>
            <fieldset class="lab__defences">
                <legend class="sr-only">"Without a defence"</legend>
                {list(all.map(choice))}
            </fieldset>
        </details>
    }
    .into_any()
}

/// Selects the number of concurrent refreshes.
pub fn concurrency(concurrency: RwSignal<Concurrency>) -> AnyView {
    let slider = move |id,
                       name,
                       [least, most]: [u8; 2],
                       part: fn(Concurrency) -> u8,
                       with: fn(Concurrency, u8) -> Option<Concurrency>| {
        let value = move || part(concurrency.get());
        let choose = move |value| {
            let chosen = u8::try_from(value).ok();
            if let Some(chosen) = chosen.and_then(|number| with(concurrency.get_untracked(), number)) {
                concurrency.set(chosen);
            }
        };
        view! {
            <Slider
                id
                name
                range=[least.into(), most.into()]
                value=Signal::derive(move || value().into())
                shown=Signal::derive(move || value().to_string())
                spoken=Signal::derive(move || value().to_string())
                on_input=choose
            />
        }
        .into_any()
    };
    view! {
        <div class="lab__pair">
            {slider(
                "crowd-tabs",
                "Tabs",
                Concurrency::TABS,
                Concurrency::tabs,
                |concurrency, tabs| Concurrency::new(tabs, concurrency.requests()),
            )}
            {slider(
                "crowd-requests",
                "Requests of each tab, at once",
                Concurrency::REQUESTS,
                Concurrency::requests,
                |concurrency, requests| Concurrency::new(concurrency.tabs(), requests),
            )}
        </div>
    }
    .into_any()
}
