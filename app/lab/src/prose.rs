//! The lab's texts that never change. Only the server writes them, as HTML. In the browser these functions return empty
//! text, and hydration leaves the server's text in place.

#[cfg(feature = "ssr")]
mod glossary;
#[cfg(feature = "ssr")]
mod html;
#[cfg(feature = "ssr")]
mod live;
#[cfg(feature = "ssr")]
mod play;
#[cfg(feature = "ssr")]
mod story;

use lab_types::{Defence, Experiment};

/// The introduction of the page.
pub fn opening() -> String {
    server_only(
        #[cfg(feature = "ssr")]
        story::opening,
    )
}

/// The description of an experiment and its run.
pub fn procedure(bench: Experiment) -> String {
    #[cfg(not(feature = "ssr"))]
    let _ = bench;
    server_only(
        #[cfg(feature = "ssr")]
        || story::procedure(bench),
    )
}

/// The meaning of each column, row and word of the matrix, with sources.
pub fn glossary() -> String {
    server_only(
        #[cfg(feature = "ssr")]
        glossary::all,
    )
}

/// The description of the simulator and its actors.
pub fn theatre() -> String {
    server_only(
        #[cfg(feature = "ssr")]
        play::theatre,
    )
}

/// The behaviour of each design, with sources.
pub fn designs() -> String {
    server_only(
        #[cfg(feature = "ssr")]
        play::designs,
    )
}

/// The description of a live session.
pub fn live() -> String {
    server_only(
        #[cfg(feature = "ssr")]
        live::live,
    )
}

/// The meaning of the words in its tree.
pub fn states() -> String {
    server_only(
        #[cfg(feature = "ssr")]
        live::states,
    )
}

/// The introduction to token lifetimes.
pub fn lifetimes() -> String {
    server_only(
        #[cfg(feature = "ssr")]
        play::lifetimes,
    )
}

/// The reasons for Keyturn's design.
pub fn story() -> String {
    server_only(
        #[cfg(feature = "ssr")]
        story::story,
    )
}

/// What a run without this defence shows.
pub fn defence(defence: Option<Defence>) -> String {
    #[cfg(not(feature = "ssr"))]
    let _ = defence;
    server_only(
        #[cfg(feature = "ssr")]
        || glossary::without(defence),
    )
}

#[cfg(feature = "ssr")]
fn server_only(write: impl FnOnce() -> String) -> String {
    write()
}

#[cfg(not(feature = "ssr"))]
fn server_only() -> String {
    String::new()
}
