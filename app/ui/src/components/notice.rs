//! A framed message.

use leptos::prelude::*;

use super::icon::{Icon, Shape};

/// The kind of a notice. Each has its own shape as well as its own colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Information.
    Plain,
    /// Success.
    Good,
    /// A warning that needs a decision.
    Alarm,
}

impl Tone {
    fn shape(self) -> Shape {
        match self {
            Self::Plain => Shape::Info,
            Self::Good => Shape::Check,
            Self::Alarm => Shape::Alert,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Plain => "notice",
            Self::Good => "notice notice--good",
            Self::Alarm => "notice notice--alarm",
        }
    }
}

/// A heading, a paragraph and optional content below.
#[component]
pub fn Notice(
    /// The kind.
    tone: Tone,
    /// A few words. A phrase, not a heading in the document's outline.
    #[prop(into)]
    title: String,
    /// The paragraph and everything below it.
    children: Children,
) -> impl IntoView {
    view! {
        <div class=tone.class()>
            <Icon shape=tone.shape() class="notice__icon" />
            <div class="notice__text">
                // The space separates the words for people who get the text without the layout.
                <p class="notice__title">{title}" "</p>
                {children()}
            </div>
        </div>
    }
    .into_any()
}
