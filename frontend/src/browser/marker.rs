//! The marker of an unfinished sign-out, in `localStorage`.

use std::cell::Cell;

use session_client::SignOutMarker;
use web_sys::{Storage, window};

/// Storage key of the marker, the only trace of a session that a page may leave in the browser. Its value carries no
/// information.
pub(crate) const PENDING_LOGOUT: &str = "keyturn.pending_logout";

/// The marker in `localStorage`. If the browser denies storage, it is kept in memory for as long as the page lives.
#[derive(Debug, Default)]
pub(crate) struct StoredMarker {
    in_memory: Cell<bool>,
}

impl SignOutMarker for StoredMarker {
    fn is_set(&self) -> bool {
        match storage().map(|storage| storage.get_item(PENDING_LOGOUT)) {
            // A marker that could not be written is only in memory.
            Some(Ok(found)) => found.is_some() || self.in_memory.get(),
            _ => self.in_memory.get(),
        }
    }

    fn set(&self, present: bool) {
        let written = storage().is_some_and(|storage| {
            if present {
                storage.set_item(PENDING_LOGOUT, "1").is_ok()
            } else {
                storage.remove_item(PENDING_LOGOUT).is_ok()
            }
        });
        self.in_memory.set(present && !written);
    }
}

/// `None` if the browser denies storage, by an exception or by a null.
fn storage() -> Option<Storage> {
    window()?.local_storage().ok().flatten()
}
