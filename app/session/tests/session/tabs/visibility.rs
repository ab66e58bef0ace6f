//! Whether a page that becomes visible checks its session.

use api_types::paths;
use session_client::BrowserEvent;

use super::request;
use crate::support::{InMemorySessions, LockBehaviour, TestBrowser, secs};

#[test]
fn without_a_channel_a_visible_page_is_verified() {
    let mut browser = TestBrowser::with_signed_in_tabs(2, LockBehaviour::Works, false);
    browser.sign_in(0, "bob");
    browser.answer_all();
    browser.fire_event(1, BrowserEvent::Visible);
    assert_eq!(
        browser.open_paths(),
        [request(1, paths::SESSION)],
        "a question that rotates nothing"
    );
    browser.answer_all();
    assert_eq!(browser.displayed_name(1), Some("bob".into()));

    browser.sign_out(0);
    browser.answer_all();
    browser.fire_event(1, BrowserEvent::Visible);
    browser.answer_all();
    assert!(browser.is_anonymous(1));
}

#[test]
fn with_a_channel_verification_is_rate_limited() {
    let mut browser = TestBrowser::with_signed_in_tabs(1, LockBehaviour::Works, true);
    browser.advance(secs(59));
    browser.fire_event(0, BrowserEvent::Visible);
    assert_eq!(browser.open_count(), 0);
    browser.advance(secs(1));
    for _ in 0..2 {
        browser.fire_event(0, BrowserEvent::Visible);
        browser.answer_all();
    }
    assert_eq!(browser.count(paths::SESSION), 1, "and then not again for a while");
    assert_eq!(browser.count(paths::REFRESH), 1);
    browser.on_server(InMemorySessions::revoke_all);
    browser.advance(secs(60));
    browser.fire_event(0, BrowserEvent::Visible);
    browser.answer_all();
    assert!(browser.is_anonymous(0));
}

#[test]
fn a_verification_without_a_response_changes_nothing() {
    let mut browser = TestBrowser::with_signed_in_tabs(1, LockBehaviour::Works, false);
    browser.fire_event(0, BrowserEvent::Visible);
    browser.lose_all();
    assert_eq!(browser.displayed_name(0), Some("ada".into()));
    assert_eq!(browser.count(paths::REFRESH), 1);
}
