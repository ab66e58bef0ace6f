//! Sleep, late timers and back-off.

use api_types::paths;
use session_client::BrowserEvent;

use super::request;
use crate::support::{LockBehaviour, TTL, TestBrowser, secs};

#[test]
fn eight_hours_of_sleep_cost_each_tab_one_refresh() {
    for (lock, channel) in [(LockBehaviour::Works, true), (LockBehaviour::Missing, false)] {
        let mut browser = TestBrowser::with_signed_in_tabs(5, lock, channel);
        browser.sleep_and_wake(secs(8 * 3600));
        // A laptop that is opened fires all of these events together, and more than once.
        for _ in 0..3 {
            for tab in 0..5 {
                browser.fire_event(tab, BrowserEvent::Online);
                browser.fire_event(tab, BrowserEvent::Visible);
            }
        }
        browser.run_until_idle();
        assert_eq!(browser.count(paths::REFRESH), 5 + 5);
        assert_eq!(browser.count(paths::SESSION), 0);
        browser.advance(secs(60));
        assert_eq!(browser.count(paths::REFRESH), 5 + 5, "missed ones are skipped");
    }
}

#[test]
fn a_page_with_a_late_timer_refreshes_when_visible() {
    let mut browser = TestBrowser::with_signed_in_tabs(1, LockBehaviour::Works, true);
    browser.sleep_and_wake(secs(0));
    let late = browser.now() + secs(TTL);
    browser.skip_to(late);
    assert_eq!(browser.open_count(), 0, "the timer sleeps");
    browser.fire_event(0, BrowserEvent::Visible);
    assert_eq!(browser.open_paths(), [request(0, paths::REFRESH)]);
}

#[test]
fn going_online_ends_the_back_off_within_a_second() {
    let mut browser = TestBrowser::with_signed_in_tabs(1, LockBehaviour::Works, true);
    browser.advance(secs(840));
    for _ in 0..6 {
        browser.lose_all();
        browser.advance(secs(30));
    }
    browser.lose_all();
    browser.fire_event(0, BrowserEvent::Online);
    browser.fire_event(0, BrowserEvent::Online);
    browser.advance(secs(1));
    assert_eq!(browser.open_paths(), [request(0, paths::REFRESH)]);
    browser.run_until_idle();
    assert_eq!(browser.displayed_name(0), Some("ada".into()));
}
