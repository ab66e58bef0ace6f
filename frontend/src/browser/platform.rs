//! The pages' port to the browser.

use app::{
    hints::MinPassword,
    lab_open::LabIsOpen,
    platform::{COLOR_SCHEME_KEY, ColorScheme, Platform},
    session_hint::SessionHint,
    storage::{StorageArea, StorageEntry, StorageReport, looks_like_token},
};
use js_sys::Date;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlDocument, Storage, Window};

/// Session marker: written by the server, and updated by the pages.
const SESSION_MARKER: &str = "data-session";

/// Lab marker: written by the server if the lab is open.
const LAB_MARKER: &str = "data-lab";

/// Minimum password length: written by the server.
const MIN_PASSWORD_MARKER: &str = "data-min-password";

/// Colour scheme: read by the style sheet.
const THEME_MARKER: &str = "data-theme";

/// Name of the probe cookie. It has the attributes of the refresh cookie, but scripts can read it. It has its own name
/// and carries no data.
const PROBE_COOKIE: &str = "__Host-keyturn-probe";
const PROBE_ATTRIBUTES: &str = "Path=/; Secure; SameSite=Strict";

/// The pages' port for this page.
#[derive(Debug)]
pub(crate) struct BrowserPlatform {
    window: Window,
    document: HtmlDocument,
    root: Element,
    session_hint: SessionHint,
}

impl BrowserPlatform {
    /// Reads what the server wrote about the session, before anything can change it.
    ///
    /// # Panics
    ///
    /// If there is no HTML document. This crate is only for pages.
    pub(crate) fn new() -> Self {
        let window = web_sys::window().expect("a page has a window");
        let document = window.document().expect("a window has a document");
        let document: HtmlDocument = document.dyn_into().expect("the document is HTML");
        let root = document.document_element().expect("the document has a root");
        let session_hint = SessionHint::from_marker(&root.get_attribute(SESSION_MARKER).unwrap_or_default());
        Self {
            window,
            document,
            root,
            session_hint,
        }
    }

    /// Whether the server has enabled the lab.
    pub(crate) fn lab_is_open(&self) -> LabIsOpen {
        LabIsOpen(self.root.get_attribute(LAB_MARKER).as_deref() == Some(LabIsOpen::MARKER))
    }

    /// The minimum password length of the server.
    pub(crate) fn min_password(&self) -> MinPassword {
        MinPassword::from_marker(&self.root.get_attribute(MIN_PASSWORD_MARKER).unwrap_or_default())
    }

    /// The path of the page, as in the address bar.
    pub(crate) fn path(&self) -> String {
        self.window.location().pathname().unwrap_or_default()
    }

    /// `None` if the browser denies storage, by an exception or by a null.
    fn local_storage(&self) -> Option<Storage> {
        self.window.local_storage().ok().flatten()
    }

    fn cookies(&self) -> String {
        self.document.cookie().unwrap_or_default()
    }

    /// Writes or removes an attribute. A failure is ignored, because the page works without it.
    fn write_attribute(&self, name: &str, value: Option<&str>) {
        let _ = match value {
            Some(value) => self.root.set_attribute(name, value),
            None => self.root.remove_attribute(name),
        };
    }
}

impl Platform for BrowserPlatform {
    fn session_hint(&self) -> SessionHint {
        self.session_hint
    }

    fn set_session_marker(&self, value: &str) {
        self.write_attribute(SESSION_MARKER, Some(value));
    }

    /// Writes, reads and removes a probe cookie with the same restrictions as the refresh cookie (`__Host-`, `Secure`,
    /// `SameSite=Strict`).
    fn keeps_cookies(&self) -> bool {
        let _ = self
            .document
            .set_cookie(&format!("{PROBE_COOKIE}=1; {PROBE_ATTRIBUTES}"));
        let kept = readable(&self.cookies()).any(|(name, value)| (name, value) == (PROBE_COOKIE, "1"));
        let _ = self
            .document
            .set_cookie(&format!("{PROBE_COOKIE}=; {PROBE_ATTRIBUTES}; Max-Age=0"));
        kept
    }

    fn color_scheme(&self) -> Option<ColorScheme> {
        let remembered = self.local_storage()?.get_item(COLOR_SCHEME_KEY).ok()??;
        ColorScheme::from_name(&remembered)
    }

    fn set_color_scheme(&self, scheme: Option<ColorScheme>) {
        let name = scheme.map(ColorScheme::as_str);
        self.write_attribute(THEME_MARKER, name);
        if let Some(storage) = self.local_storage() {
            let _ = match name {
                Some(name) => storage.set_item(COLOR_SCHEME_KEY, name),
                None => storage.remove_item(COLOR_SCHEME_KEY),
            };
        }
    }

    fn storage_report(&self) -> StorageReport {
        StorageReport {
            local_storage: area(self.local_storage()),
            session_storage: area(self.window.session_storage().ok().flatten()),
            readable_cookies: readable(&self.cookies())
                .map(|(name, value)| entry(name, value))
                .collect(),
        }
    }

    fn utc_offset_minutes(&self, at: u64) -> i32 {
        #[expect(clippy::cast_precision_loss, reason = "exact until the year 285,000,000")]
        let date = Date::new(&JsValue::from_f64(at as f64 * 1000.0));
        let behind = date.get_timezone_offset();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "at most a day, in whole minutes; NaN becomes 0"
        )]
        let ahead = -behind as i32;
        ahead
    }

    fn load_page(&self, path: &str) {
        if is_own_path(path) {
            let _ = self.window.location().assign(path);
        }
    }
}

fn area(storage: Option<Storage>) -> StorageArea {
    let Some(storage) = storage else {
        return StorageArea::Refused;
    };
    let Ok(length) = storage.length() else {
        return StorageArea::Refused;
    };
    let entries = (0..length).filter_map(|index| {
        let key = storage.key(index).ok()??;
        let value = storage.get_item(&key).ok()??;
        Some(entry(&key, &value))
    });
    StorageArea::Entries(entries.collect())
}

fn entry(key: &str, value: &str) -> StorageEntry {
    StorageEntry {
        key: key.to_owned(),
        looks_like_token: looks_like_token(value),
    }
}

/// Parses the text of `document.cookie`.
fn readable(cookies: &str) -> impl Iterator<Item = (&str, &str)> {
    cookies
        .split("; ")
        .filter(|cookie| !cookie.is_empty())
        .map(|cookie| cookie.split_once('=').unwrap_or(("", cookie)))
}

/// Whether a browser resolves this path to our own origin. `//host` and `/\host` lead to another origin.
fn is_own_path(path: &str) -> bool {
    path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\t', '\n', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_split_into_exact_names() {
        let cookies = "a=1; __Host-keyturn-probe=1=2; nameless; empty=";
        let found: Vec<_> = readable(cookies).collect();
        assert_eq!(
            found,
            [("a", "1"), (PROBE_COOKIE, "1=2"), ("", "nameless"), ("empty", "")]
        );
        assert_eq!(readable("").count(), 0);
    }

    #[test]
    fn paths_to_other_origins_are_not_visited() {
        for path in [
            "https://elsewhere.example",
            "//elsewhere.example",
            "/\\elsewhere.example",
            "/\t/elsewhere.example",
            "",
        ] {
            assert!(!is_own_path(path), "{path:?}");
        }
        assert!(is_own_path("/account?next=/"));
    }
}
