//! Toasts: short messages about completed actions at the lower edge of every page. They are announced, and disappear
//! after a while.
//!
//! Only for messages that people may miss. Errors, and everything that needs an action, are shown where they belong and
//! stay.

use std::time::Duration;

use leptos::prelude::*;

use super::{
    erase::maybe,
    icon::{Icon, Shape},
};

/// Long enough to be read twice.
const SHOWN_FOR: Duration = Duration::from_secs(6);

/// Shows toasts. Copies share their state.
#[derive(Debug, Clone, Copy, Default)]
pub struct Toasts {
    said: RwSignal<Option<&'static str>>,
    count: RwSignal<u32>,
}

impl Toasts {
    /// Provides the toasts of the page.
    pub fn provide() {
        provide_context(Self::default());
    }

    /// Shows this text now, in place of the previous one.
    pub fn say(self, words: &'static str) {
        let number = self.count.get_untracked().wrapping_add(1);
        self.count.set(number);
        self.said.set(Some(words));
        set_timeout(
            move || {
                // A newer text has its own timer.
                if self.count.try_get_untracked() == Some(number) {
                    self.said.try_set(None);
                }
            },
            SHOWN_FOR,
        );
    }
}

/// The toasts of the page.
pub fn use_toasts() -> Toasts {
    expect_context::<Toasts>()
}

/// Shows the last toast. The live region is always in the document, so that its content is announced.
#[component]
pub fn Toaster() -> impl IntoView {
    let toasts = use_toasts();
    let toast = |words: &'static str| {
        view! {
            <p class="toast">
                <Icon shape=Shape::Check />
                {words}
            </p>
        }
    };
    view! {
        <div class="toasts" role="status">
            {move || maybe(toasts.said.get().map(toast))}
        </div>
    }
    .into_any()
}
