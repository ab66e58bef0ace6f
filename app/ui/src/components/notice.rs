//! A message in a frame.

use leptos::prelude::*;

use super::icon::{Icon, Shape};

/// What a notice means. Each has its own shape beside its own colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something to know.
    Plain,
    /// Something went as it should.
    Good,
    /// Something that needs a decision.
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

/// A heading, a paragraph and whatever belongs below.
#[component]
pub fn Notice(
    /// What it means.
    tone: Tone,
    /// A few words; a phrase, not a heading of the document's outline.
    #[prop(into)]
    title: String,
    /// The paragraph, and more.
    children: Children,
) -> impl IntoView {
    view! {
        <div class=tone.class()>
            <Icon shape=tone.shape() class="notice__icon" />
            <div class="notice__text">
                // The space keeps the words apart for those who get the text without the layout.
                <p class="notice__title">{title}" "</p>
                {children()}
            </div>
        </div>
    }
    .into_any()
}
