//! Confirmation before something is taken away from an account.

use leptos::{ev::KeyboardEvent, html, prelude::*};

use ui::{components::text, words::admin_action::Confirmation};

/// Takes the place of the buttons and the focus, so that people read the question before they answer. Escape means no.
#[component]
pub fn ConfirmDialog(
    /// Unique on the page; the ids of the group's name and description are derived from it.
    id: String,
    /// The question.
    question: Confirmation,
    /// The button's label while the action is being done.
    busy_label: &'static str,
    /// Whether the action is being done.
    busy: Signal<bool>,
    yes: Callback<()>,
    no: Callback<()>,
) -> impl IntoView {
    let group = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        if let Some(group) = group.get() {
            let _ = group.focus();
        }
    });
    // Closing the question cannot undo a request that has been sent.
    let refuse = move || {
        if !busy.get_untracked() {
            no.run(());
        }
    };
    let key = move |event: KeyboardEvent| {
        if event.key() == "Escape" {
            refuse();
        }
    };
    let (meaning_id, title_id) = (format!("{id}-meaning"), id);
    let Confirmation {
        title,
        meaning,
        confirm,
    } = question;
    view! {
        <div
            class="question"
            role="group"
            aria-labelledby=title_id
            aria-describedby=meaning_id
            tabindex="-1"
            on:keydown=key
            node_ref=group
        >
            <p class="question__title" id=title_id.clone()>
                {title}
            </p>
            <p id=meaning_id.clone()>{meaning}</p>
            <div class="form__row">
                <button
                    class="button button--alarm"
                    type="button"
                    aria-disabled=move || busy.get().then_some("true")
                    on:click=move |_| yes.run(())
                >
                    {move || text(if busy.get() { busy_label } else { confirm })}
                </button>
                <button
                    class="button"
                    type="button"
                    aria-disabled=move || busy.get().then_some("true")
                    on:click=move |_| refuse()
                >
                    "Cancel"
                </button>
            </div>
        </div>
    }
    .into_any()
}
