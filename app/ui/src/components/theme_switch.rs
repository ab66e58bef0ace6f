//! Theme switch: light, dark, or the system's theme.

use leptos::prelude::*;

use super::{
    erase::text,
    icon::{Icon, Shape},
};
use crate::{platform::ColorScheme, session_ctx::use_session};

/// A button that cycles through automatic, light and dark.
///
/// All three icons are in the page, and the style sheet shows the one that `data-theme` selects. The server does not
/// know the choice, and swapping icons after hydration would flicker.
#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let session = use_session();
    view! {
        <button
            class="theme-switch"
            type="button"
            disabled=move || !session.hydrated()
            on:click=move |_| session.set_color_scheme(next(session.color_scheme()))
        >
            <Icon shape=Shape::Monitor class="theme-switch__auto" />
            <Icon shape=Shape::Sun class="theme-switch__light" />
            <Icon shape=Shape::Moon class="theme-switch__dark" />
            <span class="sr-only">{move || text(name(session.color_scheme()))}</span>
        </button>
    }
    .into_any()
}

fn next(scheme: Option<ColorScheme>) -> Option<ColorScheme> {
    match scheme {
        None => Some(ColorScheme::Light),
        Some(ColorScheme::Light) => Some(ColorScheme::Dark),
        Some(ColorScheme::Dark) => None,
    }
}

/// The button's name: the current state, and what a click changes it to.
fn name(scheme: Option<ColorScheme>) -> &'static str {
    match scheme {
        None => "Colours: as the system has them. Switch to light",
        Some(ColorScheme::Light) => "Colours: light. Switch to dark",
        Some(ColorScheme::Dark) => "Colours: dark. Switch to the system’s",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_clicks_cycle_through_the_themes() {
        let start = None;
        assert_eq!(next(next(next(start))), start);
        assert_ne!(next(start), start);
    }
}
