//! The logo: a keyhole inside a circular arrow.

use leptos::prelude::*;

/// The logo alone; the name follows it as text.
#[component]
pub fn BrandMark() -> impl IntoView {
    view! {
        <svg
            class="brand__mark"
            viewBox="0 0 32 32"
            width="32"
            height="32"
            aria-hidden="true"
            focusable="false"
        >
            <path class="brand__turn" d="M25.6 8.2A12.4 12.4 0 1 0 28.3 14.4"></path>
            <path class="brand__turn" d="M26.6 2.9v5.9h-5.9"></path>
            <path
                class="brand__hole"
                d="M16 9.2a4.1 4.1 0 0 1 2.2 7.6l1.5 6.2h-7.4l1.5-6.2A4.1 4.1 0 0 1 16 9.2Z"
            ></path>
        </svg>
    }
}
