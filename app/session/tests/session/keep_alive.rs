//! One tab keeps the session active for all: a tab that learns of a renewal does not refresh until it needs a token for
//! a request.

use api_types::paths;
use session_client::{BrowserEvent, SessionView};

use crate::support::{LockBehaviour, NOTES, TTL, TestBrowser, secs};

/// Opens tabs a second apart, with ada signed in.
fn with_tabs_opened_in_turn(tabs: usize, lock: LockBehaviour, channel: bool) -> TestBrowser {
    let mut browser = TestBrowser::new(lock, channel);
    browser.spread_jitter();
    browser.add_session_cookie();
    for _ in 0..tabs {
        browser.open_tab(SessionView::Restoring);
        browser.run_until_idle();
        browser.run_for(secs(1));
    }
    assert_eq!(
        browser.count(paths::REFRESH),
        tabs,
        "a page that was loaded has no token"
    );
    browser
}

fn assert_all_signed_in(browser: &TestBrowser, tabs: usize) {
    for tab in 0..tabs {
        assert_eq!(browser.displayed_name(tab), Some("ada".into()), "tab {tab}");
    }
}

#[test]
fn each_expiry_costs_one_refresh_for_fifty_tabs() {
    for lock in [LockBehaviour::Works, LockBehaviour::Missing] {
        let mut browser = with_tabs_opened_in_turn(50, lock, true);
        browser.run_for(secs(10 * TTL));
        let renewals = browser.count(paths::REFRESH) - 50;
        assert!((10..=11).contains(&renewals), "{lock:?}: {renewals}");
        assert_all_signed_in(&browser, 50);
    }
}

#[test]
fn tabs_due_at_the_same_time_cost_at_most_two_refreshes() {
    let mut browser = TestBrowser::with_signed_in_tabs(50, LockBehaviour::Works, true);
    browser.deliver_messages();
    browser.advance(secs(835));
    assert_eq!(browser.open_count(), 1, "the others wait for their turn");
    browser.run_until_idle();
    assert!(browser.count(paths::REFRESH) <= 50 + 2);
    assert_all_signed_in(&browser, 50);
}

#[test]
fn an_expired_tab_refreshes_when_it_sends_a_request() {
    let mut browser = with_tabs_opened_in_turn(2, LockBehaviour::Works, true);
    browser.run_for(secs(3 * TTL));
    let refreshes = browser.count(paths::REFRESH);
    let responses: Vec<_> = (0..2).map(|tab| browser.send(tab)).collect();
    browser.run_until_idle();
    for answer in responses {
        assert_eq!(answer.done().expect("an answer").status, 200);
    }
    assert!(browser.count(paths::REFRESH) <= refreshes + 1);
    assert_eq!(
        browser.count(NOTES),
        2,
        "no request went out with a token that had ended"
    );
    assert_all_signed_in(&browser, 2);
}

#[test]
fn an_expired_tab_refreshes_when_it_becomes_visible() {
    let mut browser = with_tabs_opened_in_turn(2, LockBehaviour::Works, true);
    browser.skip_to(secs(TTL + 10));
    browser.deliver_text(0, "renewed id-ada");
    assert_eq!(browser.open_count(), 0);
    browser.fire_event(0, BrowserEvent::Visible);
    assert_eq!(browser.open_paths(), [(0, paths::REFRESH.to_owned())]);
}

#[test]
fn without_a_channel_each_tab_renews_for_itself() {
    let mut browser = with_tabs_opened_in_turn(5, LockBehaviour::Works, false);
    browser.run_for(secs(TTL));
    assert_eq!(browser.count(paths::REFRESH), 10);
    assert_all_signed_in(&browser, 5);
}

#[test]
fn the_other_tabs_take_over_when_one_is_closed() {
    let mut browser = with_tabs_opened_in_turn(3, LockBehaviour::Works, true);
    for closed in 0..2 {
        browser.run_for(secs(TTL));
        browser.close_tab(closed);
    }
    let before = browser.count(paths::REFRESH);
    browser.run_for(secs(2 * TTL));
    assert!(browser.count(paths::REFRESH) >= before + 2);
    assert_eq!(browser.displayed_name(2), Some("ada".into()));
}

#[test]
fn a_renewal_of_another_user_hides_the_user_until_confirmed() {
    let mut browser = with_tabs_opened_in_turn(2, LockBehaviour::Works, true);
    browser.deliver_text(0, "renewed id-bob");
    assert_eq!(browser.view(0), SessionView::Restoring);
    browser.run_until_idle();
    assert_eq!(browser.displayed_name(0), Some("ada".into()));
}

#[test]
fn a_renewal_message_does_not_undo_a_sign_out() {
    let mut browser = with_tabs_opened_in_turn(2, LockBehaviour::Works, true);
    browser.sign_out(0);
    browser.run_until_idle();
    let refreshes_before = browser.count(paths::REFRESH);
    for tab in [0, 1] {
        browser.deliver_text(tab, "renewed id-ada");
        assert!(browser.is_anonymous(tab));
    }
    assert_eq!(
        (browser.open_count(), browser.count(paths::REFRESH)),
        (0, refreshes_before)
    );
}

#[test]
fn eight_hours_of_sleep_cause_no_refresh_storm() {
    let mut browser = with_tabs_opened_in_turn(5, LockBehaviour::Works, true);
    browser.sleep_and_wake(secs(8 * 3600));
    browser.fire_event(3, BrowserEvent::Online);
    browser.fire_event(3, BrowserEvent::Visible);
    browser.run_until_idle();
    // One for all, one that began before the message about the first arrived, and one for the tab that became visible.
    let most = 5 + 3;
    assert!(browser.count(paths::REFRESH) <= most);
    browser.run_for(secs(60));
    assert!(browser.count(paths::REFRESH) <= most, "missed ones are skipped");
    assert_all_signed_in(&browser, 5);
}
