//! Whether this site has a lab.

use leptos::prelude::use_context;

/// Whether the operator has enabled the lab. The server provides it as context for each page; the browser reads it from
/// `<html data-lab>`, which `app::shell` wrote. Without it the lab is closed.
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
