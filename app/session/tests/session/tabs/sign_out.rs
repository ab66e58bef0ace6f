//! A sign-out in one tab, as the others see it, and a sign-out that the server has not confirmed.

use api_types::paths;
use session_client::{BrowserEvent, SessionView};

use super::{ANONYMOUS, SIGNED_OUT_ELSEWHERE, UNFINISHED, request};
use crate::support::{LockBehaviour, TestBrowser, secs};

#[test]
fn a_sign_out_reaches_other_tabs_immediately() {
    let mut browser = TestBrowser::with_signed_in_tabs(3, LockBehaviour::Works, true);
    browser.sign_out(0);
    browser.deliver_messages();
    for tab in [1, 2] {
        assert_eq!(browser.view(tab), SIGNED_OUT_ELSEWHERE);
    }
    browser.run_until_idle();
    assert_eq!(browser.view(0), ANONYMOUS, "a click needs no explanation");
    assert_eq!(browser.view(1), SIGNED_OUT_ELSEWHERE);
    assert_eq!((browser.active_sessions(), browser.marker_set()), (0, false));
    assert_eq!(browser.count(paths::LOGOUT), 1, "one tab tells the server");
    browser.advance(secs(3600));
    assert_eq!(browser.open_count(), 0, "and that is the end of it");
    assert_eq!(browser.count(paths::REFRESH), 3);
}

#[test]
fn a_late_sign_out_message_is_checked_with_the_server() {
    let mut browser = TestBrowser::with_signed_in_tabs(2, LockBehaviour::Works, true);
    browser.sign_out(0);
    browser.answer_all();
    assert_eq!(
        browser.displayed_name(1),
        Some("ada".into()),
        "it has not heard yet"
    );
    browser.deliver_message(0);
    assert_eq!(
        browser.view(1),
        SessionView::Restoring,
        "no user is shown meanwhile"
    );
    browser.run_until_idle();
    assert_eq!(browser.view(1), SIGNED_OUT_ELSEWHERE);
}

#[test]
fn an_offline_sign_out_finishes_before_any_refresh() {
    let mut browser = TestBrowser::with_signed_in_tabs(1, LockBehaviour::Works, true);
    browser.sign_out(0);
    assert!(browser.marker_set(), "from the very first moment");
    browser.lose_all();
    assert_eq!(browser.view(0), UNFINISHED);
    browser.close_tab(0);

    // A reload while the network is still down: the server saw the cookie, but the page knows of the sign-out.
    let second = browser.open_tab(SessionView::Restoring);
    assert_eq!(browser.view(second), UNFINISHED);
    browser.advance(secs(0));
    assert_eq!(browser.open_paths(), [request(second, paths::LOGOUT)]);
    browser.lose_all();
    assert_eq!(browser.view(second), UNFINISHED);
    assert!(browser.marker_set());

    // And a reload when the network is back.
    browser.close_tab(second);
    let third = browser.open_tab(SessionView::Restoring);
    browser.advance(secs(0));
    browser.run_until_idle();
    assert_eq!(browser.view(third), SIGNED_OUT_ELSEWHERE);
    assert_eq!((browser.active_sessions(), browser.marker_set()), (0, false));
    assert_eq!(browser.count(paths::REFRESH), 1, "only the one of the first page");
}

#[test]
fn an_offline_sign_out_finishes_when_online() {
    let mut browser = TestBrowser::with_signed_in_tabs(1, LockBehaviour::Works, true);
    browser.sign_out(0);
    for wait in [1, 2, 4, 8, 16, 30, 30] {
        browser.lose_all();
        browser.advance(secs(wait));
        assert_eq!(
            browser.open_paths(),
            [request(0, paths::LOGOUT)],
            "it goes on trying"
        );
    }
    browser.lose_all();
    browser.fire_event(0, BrowserEvent::Online);
    browser.advance(secs(1));
    browser.run_until_idle();
    assert_eq!(browser.view(0), ANONYMOUS);
    assert_eq!((browser.active_sessions(), browser.marker_set()), (0, false));
}

#[test]
fn a_failed_sign_out_is_retried_by_another_tab() {
    let mut browser = TestBrowser::with_signed_in_tabs(2, LockBehaviour::Works, true);
    browser.sign_out(0);
    browser.lose_all();
    browser.deliver_messages();
    assert_eq!(browser.view(0), UNFINISHED);
    assert_eq!(browser.view(1), SIGNED_OUT_ELSEWHERE);
    // The tab in which the user signed out is closed; the other one finishes the sign-out.
    browser.close_tab(0);
    browser.advance(secs(5));
    assert!(browser.open_paths().contains(&request(1, paths::LOGOUT)));
    browser.run_until_idle();
    assert_eq!((browser.active_sessions(), browser.marker_set()), (0, false));
    assert_eq!(browser.view(1), SIGNED_OUT_ELSEWHERE);
}

#[test]
fn a_sign_in_replaces_an_unfinished_sign_out() {
    let mut browser = TestBrowser::with_signed_in_tabs(2, LockBehaviour::Works, true);
    browser.sign_out(0);
    browser.lose_all();
    browser.deliver_messages();
    browser.sign_in(0, "bob");
    browser.run_until_idle();
    assert_eq!(browser.displayed_name(0), Some("bob".into()));
    assert_eq!(browser.displayed_name(1), Some("bob".into()));
    assert!(!browser.marker_set());
    assert_eq!(browser.active_sessions(), 1, "the server ended ada's");
    browser.advance(secs(60));
    browser.run_until_idle();
    assert_eq!(
        browser.count(paths::LOGOUT),
        1,
        "no retry of the sign-out is left"
    );
    assert_eq!(browser.displayed_name(0), Some("bob".into()));
}

#[test]
fn a_refused_sign_in_keeps_the_sign_out_pending() {
    let mut browser = TestBrowser::with_signed_in_tabs(1, LockBehaviour::Works, true);
    browser.sign_out(0);
    browser.lose_all();
    browser.sign_in(0, "stranger");
    browser.run_until_idle();
    assert_eq!(browser.view(0), UNFINISHED);
    assert!(browser.marker_set());
    browser.advance(secs(1));
    browser.run_until_idle();
    assert_eq!((browser.active_sessions(), browser.marker_set()), (0, false));
}

#[test]
fn a_late_refresh_does_not_undo_another_tabs_sign_out() {
    // Without a lock, so that the two requests cross; without a channel, so that only the marker informs the other tab.
    let mut browser = TestBrowser::with_signed_in_tabs(2, LockBehaviour::Missing, false);
    browser.advance(secs(840));
    browser.arrive(1);
    browser.sign_out(0);
    browser.deliver(1);
    assert!(browser.is_anonymous(1));
    browser.answer_all();
    browser.advance(secs(60));
    browser.answer_all();
    assert_eq!((browser.active_sessions(), browser.marker_set()), (0, false));
    assert!(browser.is_anonymous(0) && browser.is_anonymous(1));
}

#[test]
fn a_tab_without_messages_follows_the_marker() {
    let mut browser = TestBrowser::with_signed_in_tabs(2, LockBehaviour::Works, false);
    browser.sign_out(0);
    browser.fire_event(1, BrowserEvent::MarkerChanged);
    assert_eq!(browser.view(1), SIGNED_OUT_ELSEWHERE);
    browser.answer_all();
    browser.fire_event(1, BrowserEvent::MarkerChanged);
    browser.advance(secs(3600));
    assert_eq!(browser.count(paths::LOGOUT), 1, "and that it was finished");
}

#[test]
fn a_sign_out_without_cookies_ends_the_session() {
    let mut browser = TestBrowser::with_signed_in_tabs(2, LockBehaviour::Works, true);
    browser.clear_cookies();
    browser.sign_out(0);
    browser.run_until_idle();
    assert_eq!((browser.active_sessions(), browser.marker_set()), (0, false));
    assert!(browser.is_anonymous(0) && browser.is_anonymous(1));
}

#[test]
fn another_tab_ends_the_right_session_without_cookies() {
    let mut browser = TestBrowser::with_signed_in_tabs(2, LockBehaviour::Works, true);
    browser.clear_cookies();
    browser.sign_out(0);
    browser.lose_all();
    browser.deliver_messages();
    browser.close_tab(0);
    browser.advance(secs(5));
    browser.run_until_idle();
    assert_eq!((browser.active_sessions(), browser.marker_set()), (0, false));
}
