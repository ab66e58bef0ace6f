//! The port for everything that pages need from the browser besides HTTP. `frontend` implements it; the server has
//! none.

use crate::{session_hint::SessionHint, storage::StorageReport};

/// The key in `localStorage` under which a chosen colour scheme is remembered. The value is `light` or `dark`.
pub const COLOR_SCHEME_KEY: &str = "keyturn.color_scheme";

/// The browser, as far as pages may use it.
///
/// The trait exists so that this crate renders the same on the server, which has no window, and so that only one crate
/// of the workspace uses `web-sys`.
pub trait Platform {
    /// The value that the server wrote into `data-session` on `<html>`; see [`SessionHint::from_marker`].
    ///
    /// It is read once, before the first render, so [`Platform::set_session_marker`] must not affect it.
    fn session_hint(&self) -> SessionHint;

    /// Writes `data-session` on `<html>`: `signed-in`, `anonymous`, `unknown` or `reconnecting`.
    fn set_session_marker(&self, value: &str);

    /// Whether this browser will keep the refresh cookie. `false` if cookies are blocked, or if the page was loaded
    /// over plain http and the browser refuses `Secure` cookies there (WebKit does, even on localhost).
    fn keeps_cookies(&self) -> bool;

    /// The remembered colour scheme, or `None` when the system's choice is followed.
    fn color_scheme(&self) -> Option<ColorScheme>;

    /// Applies a scheme (`data-theme` on `<html>`) and remembers it under [`COLOR_SCHEME_KEY`]. `None` removes both,
    /// and the page follows the system again. If storage is refused, the scheme is applied anyway.
    fn set_color_scheme(&self, scheme: Option<ColorScheme>);

    /// Reads what page script can read right now: every key of `localStorage` and `sessionStorage`, and the names in
    /// `document.cookie`. It must really read each time, because the page presents the result as a fact.
    /// [`crate::storage::looks_like_token`] decides whether a value has the shape of a JWT.
    fn storage_report(&self) -> StorageReport;

    /// Minutes that local time is ahead of UTC at `at` (seconds since the Unix epoch): 120 in Paris in summer.
    /// This is `-new Date(at * 1000).getTimezoneOffset()`.
    fn utc_offset_minutes(&self, at: u64) -> i32;

    /// Loads `path` of our own origin as a new document. This clears memory, so a session costs a refresh.
    fn load_page(&self, path: &str);
}

/// What the app reports to the watch script of the shell, as an event on the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgramEvent {
    /// The server's HTML is about to be removed: the script must keep what was typed.
    Render,
    /// The page reacts to clicks.
    Ready,
    /// The app panicked. Nothing on this page works after that.
    Failed,
}

impl ProgramEvent {
    /// The state of the history entry after a crash during hydration: the next load must not hydrate again.
    pub const RENDER_NEXT_TIME: &str = "keyturn:render";

    /// The type of the event.
    pub fn name(self) -> &'static str {
        match self {
            Self::Render => "keyturn:render",
            Self::Ready => "keyturn:ready",
            Self::Failed => "keyturn:failed",
        }
    }
}

/// A colour scheme that a person chose instead of the system's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorScheme {
    Light,
    Dark,
}

impl ColorScheme {
    /// The value of `data-theme` and of the remembered entry.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// Parses a remembered value; any other value counts as no choice.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "light" => Some(Self::Light),
            "dark" => Some(Self::Dark),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_is_remembered_by_its_name() {
        for scheme in [ColorScheme::Light, ColorScheme::Dark] {
            assert_eq!(ColorScheme::from_name(scheme.as_str()), Some(scheme));
        }
        assert_eq!(ColorScheme::from_name("sepia"), None);
    }
}
