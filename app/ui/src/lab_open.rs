//! Whether there is a lab on this site.

use leptos::prelude::use_context;

/// Whether the operator has switched the lab on. Provided as context by the server for each page, and in the browser from
/// what `app::shell` wrote into `<html data-lab>`; without it the lab is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabIsOpen(pub bool);

impl LabIsOpen {
    /// The value of `data-lab` on `<html>`.
    pub const MARKER: &str = "open";
}

/// Whether the lab is open, by the context.
pub fn lab_is_open() -> bool {
    use_context::<LabIsOpen>().is_some_and(|LabIsOpen(open)| open)
}
