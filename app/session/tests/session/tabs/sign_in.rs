//! A sign-in of another user, and the end of a session, in the other tabs.

use api_types::{paths, problem::RevocationReason};
use session_client::{ApiError, SessionView, SignedOutReason};

use super::{ANONYMOUS, request};
use crate::support::{InMemorySessions, LockBehaviour, NOTES, TestBrowser, secs};

#[test]
fn another_users_sign_in_hides_the_user_in_other_tabs() {
    let mut browser = TestBrowser::with_signed_in_tabs(3, LockBehaviour::Works, true);
    let adas = browser.send(1);
    browser.sign_in(0, "bob");
    assert_eq!(
        browser.open_paths(),
        [request(1, NOTES), request(0, paths::LOGIN)]
    );
    browser.deliver(1);
    assert_eq!(browser.displayed_name(0), Some("bob".into()));
    browser.deliver_messages();
    for tab in [1, 2] {
        assert_eq!(browser.view(tab), SessionView::Restoring);
    }
    browser.run_until_idle();
    assert_eq!(
        adas.done().err(),
        Some(ApiError::SignedOut),
        "ada's answer is not bob's"
    );
    for tab in 0..3 {
        assert_eq!(browser.displayed_name(tab), Some("bob".into()));
    }
}

#[test]
fn a_sign_in_reaches_anonymous_tabs() {
    let mut browser = TestBrowser::new(LockBehaviour::Works, true);
    let first = browser.open_tab(ANONYMOUS);
    let second = browser.open_tab(ANONYMOUS);
    browser.sign_in(first, "ada");
    browser.run_until_idle();
    assert_eq!(browser.displayed_name(second), Some("ada".into()));
}

#[test]
fn a_sign_in_elsewhere_during_a_sign_out_is_not_missed() {
    let mut browser = TestBrowser::with_signed_in_tabs(2, LockBehaviour::Works, true);
    browser.sign_in(0, "bob");
    browser.sign_out(1);
    assert_eq!(browser.open_paths(), [request(0, paths::LOGIN)]);
    browser.deliver(0);
    assert_eq!(browser.open_paths(), [request(1, paths::LOGOUT)]);
    browser.deliver_messages();
    assert_eq!(browser.view(1), ANONYMOUS);
    browser.lose_all();
    // The sign-in has removed the marker, so there is no sign-out left to send.
    browser.advance(secs(1));
    browser.run_until_idle();
    assert_eq!(browser.count(paths::LOGOUT), 1);
    assert_eq!(browser.cookie_owner(), Some("bob".into()));
    assert_eq!(browser.displayed_name(1), Some("bob".into()));
}

#[test]
fn a_sign_in_of_the_same_user_keeps_the_other_views() {
    let mut browser = TestBrowser::with_signed_in_tabs(2, LockBehaviour::Works, true);
    let before = browser.views(1).len();
    browser.sign_in(0, "ada");
    browser.run_until_idle();
    assert_eq!(browser.views(1).len(), before, "nothing moves on the other page");
    assert_eq!(
        browser.count(paths::REFRESH),
        2,
        "and nothing is asked for ahead of need"
    );
    let notes = browser.send(1);
    browser.run_until_idle();
    assert!(
        notes.done().is_ok(),
        "its token has ended with its session; the next request got another"
    );
    assert_eq!(browser.count(NOTES), 1);
}

#[test]
fn an_ended_session_reaches_other_tabs_with_its_reason() {
    let mut browser = TestBrowser::with_signed_in_tabs(3, LockBehaviour::Works, true);
    browser.on_server(InMemorySessions::revoke_all);
    let request = browser.send(0);
    browser.run_until_idle();
    assert!(request.done().is_err());
    for tab in 0..3 {
        let reason = Some(SignedOutReason::Revoked(Some(RevocationReason::RevokedByUser)));
        assert_eq!(browser.view(tab), SessionView::Anonymous { reason });
    }
    assert_eq!(
        browser.sent_messages(),
        ["ended revoked-by-user"],
        "a received message is not sent again"
    );
}
