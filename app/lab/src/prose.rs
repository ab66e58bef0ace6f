//! What the lab says that never changes. Only the server writes it, as HTML; in the browser these are empty, and hydration
//! leaves the server's words where they are.

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

use lab_types::{Bench, Defence};

/// What the page is about.
pub fn opening() -> String {
    server_only(
        #[cfg(feature = "ssr")]
        story::opening,
    )
}

/// What a bench is about, and what happens in its run.
pub fn procedure(bench: Bench) -> String {
    #[cfg(not(feature = "ssr"))]
    let _ = bench;
    server_only(
        #[cfg(feature = "ssr")]
        || story::procedure(bench),
    )
}

/// What each column, row and word of the matrix means, with sources.
pub fn glossary() -> String {
    server_only(
        #[cfg(feature = "ssr")]
        glossary::all,
    )
}

/// What is played in the theatre, and by whom.
pub fn theatre() -> String {
    server_only(
        #[cfg(feature = "ssr")]
        play::theatre,
    )
}

/// What each design does, with sources.
pub fn designs() -> String {
    server_only(
        #[cfg(feature = "ssr")]
        play::designs,
    )
}

/// What a live play is.
pub fn live() -> String {
    server_only(
        #[cfg(feature = "ssr")]
        live::live,
    )
}

/// What the words in its tree mean.
pub fn states() -> String {
    server_only(
        #[cfg(feature = "ssr")]
        live::states,
    )
}

/// What the lifetimes of tokens are about.
pub fn lifetimes() -> String {
    server_only(
        #[cfg(feature = "ssr")]
        play::lifetimes,
    )
}

/// How it came to be built like this.
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
