//! A few words about something that was done, at the lower edge of every page: announced, and gone by themselves.
//!
//! Only for what may be missed. What somebody must act upon, or did wrong, stands where it belongs and stays.

use std::time::Duration;

use leptos::prelude::*;

use super::{
    erase::maybe,
    icon::{Icon, Shape},
};

/// Long enough to be read twice.
const SHOWN_FOR: Duration = Duration::from_secs(6);

/// Where to say it. Copies share it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Toasts {
    said: RwSignal<Option<&'static str>>,
    count: RwSignal<u32>,
}

impl Toasts {
    /// Provides the one place of the page.
    pub fn provide() {
        provide_context(Self::default());
    }

    /// Says it now, in place of what was said before.
    pub fn say(self, words: &'static str) {
        let number = self.count.get_untracked().wrapping_add(1);
        self.count.set(number);
        self.said.set(Some(words));
        set_timeout(
            move || {
                // Something newer has its own time.
                if self.count.try_get_untracked() == Some(number) {
                    self.said.try_set(None);
                }
            },
            SHOWN_FOR,
        );
    }
}

/// The page's place for toasts.
pub fn use_toasts() -> Toasts {
    expect_context::<Toasts>()
}

/// Shows what was said last. The region is always there, so that what comes into it is read out.
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
