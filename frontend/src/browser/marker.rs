//! The marker of an unfinished sign-out, in `localStorage`.

use std::cell::Cell;

use session_client::SignOutMarker;
use web_sys::{Storage, window};

/// The only thing about a session that a page may leave in the browser. Its value says nothing.
pub(crate) const PENDING_LOGOUT: &str = "keyturn.pending_logout";

/// Where storage is refused it is remembered for as long as the page lives.
#[derive(Debug, Default)]
pub(crate) struct StoredMarker {
    here: Cell<bool>,
}

impl SignOutMarker for StoredMarker {
    fn is_set(&self) -> bool {
        match storage().map(|storage| storage.get_item(PENDING_LOGOUT)) {
            // What could not be written is not there to be read.
            Some(Ok(found)) => found.is_some() || self.here.get(),
            _ => self.here.get(),
        }
    }

    fn set(&self, there: bool) {
        let written = storage().is_some_and(|storage| {
            if there {
                storage.set_item(PENDING_LOGOUT, "1").is_ok()
            } else {
                storage.remove_item(PENDING_LOGOUT).is_ok()
            }
        });
        self.here.set(there && !written);
    }
}

/// `None` where the browser refuses storage, which it may do by an exception as well as by a null.
fn storage() -> Option<Storage> {
    window()?.local_storage().ok().flatten()
}
