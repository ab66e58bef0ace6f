//! The lab's texts that never change: the Markdown files in `prose/` of this crate. Only the server renders them. In the
//! browser they are empty, and hydration leaves the server's HTML in place.

#[cfg(feature = "ssr")]
mod render;

use lab_types::{Defence, Experiment};

#[cfg(feature = "ssr")]
pub use render::html;

/// A text of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prose {
    /// The introduction of the page.
    Opening,
    /// The introduction of an experiment.
    Experiment(Experiment),
    /// What a run without this defence shows.
    Without(Option<Defence>),
    Simulator,
    /// The behaviour of each design.
    Designs,
    LiveSession,
    /// The meaning of the words in its tree.
    TokenStates,
    Lifetimes,
    /// The meaning of each column, row and verdict.
    Glossary,
    /// The reasons for Keyturn's design.
    Story,
}

/// The text as HTML.
#[cfg(not(feature = "ssr"))]
pub fn html(_: Prose) -> String {
    String::new()
}
