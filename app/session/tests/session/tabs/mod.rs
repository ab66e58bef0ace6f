//! Several tabs of one browser, with a server that has sessions.

mod bfcache;
mod interleaving;
mod lock;
mod message_order;
mod sign_in;
mod sign_out;
mod time;
mod visibility;

use api_types::problem::RevocationReason;
use session_client::{SessionView, SignedOutReason};

const ANONYMOUS: SessionView = SessionView::Anonymous { reason: None };

/// The view after a sign-out in this tab that the server has not confirmed.
const UNFINISHED: SessionView = SessionView::Anonymous {
    reason: Some(SignedOutReason::SignOutUnfinished),
};

/// The view after a sign-out in another tab.
const SIGNED_OUT_ELSEWHERE: SessionView = SessionView::Anonymous {
    reason: Some(SignedOutReason::Revoked(Some(RevocationReason::Logout))),
};

/// An open request of a tab, as `TestBrowser::open_paths` lists it.
fn request(tab: usize, path: &str) -> (usize, String) {
    (tab, path.to_owned())
}
