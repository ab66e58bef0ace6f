//! Building blocks of the lab's page.

use leptos::prelude::*;
use ui::{
    components::{Icon, Notice, Shape, Tone, list, text},
    session_ctx::use_session,
};

/// A button for an action. While `busy`, it keeps the focus, and the action is expected to do nothing.
pub fn action_button(
    name: impl Into<String>,
    busy: Option<Signal<bool>>,
    act: impl Fn() + 'static,
) -> AnyView {
    let session = use_session();
    view! {
        <button
            class="button"
            type="button"
            disabled=move || !session.hydrated()
            aria-disabled=move || busy.is_some_and(|busy| busy.get()).then_some("true")
            on:click=move |_| act()
        >
            {name.into()}
        </button>
    }
    .into_any()
}

/// A slider with its label.
#[component]
pub fn Slider(
    id: &'static str,
    name: &'static str,
    /// The smallest and the largest value.
    #[prop(into)]
    range: Signal<[usize; 2]>,
    #[prop(into)] value: Signal<usize>,
    /// The value, next to the label.
    shown: Signal<String>,
    /// The value for screen readers.
    spoken: Signal<String>,
    #[prop(into)] on_input: Callback<usize>,
) -> impl IntoView {
    let session = use_session();
    view! {
        <div class="field">
            <div class="field__head">
                <label for=id>{name}</label>
                <span class="field__aside">{move || text(shown.get())}</span>
            </div>
            <input
                type="range"
                id=id
                min=move || range.get()[0].to_string()
                max=move || range.get()[1].to_string()
                value=value.get_untracked().to_string()
                prop:value=move || value.get().to_string()
                autocomplete="off"
                aria-valuetext=move || spoken.get()
                disabled=move || !session.hydrated()
                on:input=move |event| {
                    if let Ok(value) = event_target_value(&event).parse() {
                        on_input.run(value);
                    }
                }
            />
        </div>
    }
    .into_any()
}

/// A table in a group that scrolls sideways, also with the keyboard.
pub fn sheet_table<const N: usize>(
    name: &'static str,
    caption: impl Into<String>,
    head: [&'static str; N],
    rows: impl Fn() -> AnyView + Send + 'static,
) -> AnyView {
    let head = list(head.into_iter().map(|name| view! { <th scope="col">{name}</th> }));
    view! {
        <div class="table-sheet" tabindex="0" role="group" aria-label=name>
            <table class="table">
                <caption class="sr-only">{caption.into()}</caption>
                <thead>
                    <tr>{head}</tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// A result in a table or list: a shape and words, in the colour of the class.
pub fn mark(class: &'static str, shape: Shape, words: impl Into<String>) -> AnyView {
    view! {
        <span class=class>
            <Icon shape=shape />
            {words.into()}
        </span>
    }
    .into_any()
}

/// A notice of one paragraph.
pub fn notice(tone: Tone, title: &'static str, words: impl Into<String>) -> AnyView {
    let words = words.into();
    view! {
        <Notice tone=tone title=title>
            <p>{words}</p>
        </Notice>
    }
    .into_any()
}
