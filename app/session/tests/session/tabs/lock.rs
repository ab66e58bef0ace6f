//! The locks that serialise requests of several tabs, and their timeouts.

use api_types::paths;
use session_client::{BrowserEvent, SessionView};

use super::{ANONYMOUS, request};
use crate::support::{LockBehaviour, TestBrowser, secs};

#[test]
fn the_lock_serialises_refreshes() {
    let mut browser = TestBrowser::with_signed_in_tabs(5, LockBehaviour::Works, true);
    browser.advance(secs(835));
    let mut most = 0;
    for _ in 0..20 {
        let refreshes = browser
            .open_paths()
            .iter()
            .filter(|(_, path)| path == paths::REFRESH)
            .count();
        most = most.max(refreshes);
        if browser.open_count() > 0 {
            browser.deliver(0);
        }
    }
    assert_eq!(most, 1);
    assert_eq!(
        browser.count(paths::REFRESH),
        10,
        "each for itself, as long as they hear nothing of each other"
    );
    for tab in 0..5 {
        assert_eq!(browser.displayed_name(tab), Some("ada".into()));
    }
}

#[test]
fn a_sign_in_waits_for_the_refresh_of_another_tab() {
    let mut browser = TestBrowser::with_signed_in_tabs(2, LockBehaviour::Works, true);
    browser.fire_event(1, BrowserEvent::RestoredFromBfcache);
    assert_eq!(browser.open_paths(), [request(1, paths::REFRESH)]);
    browser.sign_in(0, "bob");
    assert_eq!(
        browser.open_paths(),
        [request(1, paths::REFRESH)],
        "so no late cookie can replace bob's"
    );
    browser.run_until_idle();
    assert_eq!(browser.cookie_owner(), Some("bob".into()));
    assert_eq!(
        (browser.displayed_name(0), browser.displayed_name(1)),
        (Some("bob".into()), Some("bob".into()))
    );
}

#[test]
fn a_stuck_lock_costs_two_seconds() {
    let mut browser = TestBrowser::new(LockBehaviour::FirstStuck, true);
    browser.add_session_cookie();
    let tab = browser.open_tab(SessionView::Restoring);
    assert_eq!(browser.open_count(), 0);
    browser.advance(secs(2));
    browser.run_until_idle();
    assert_eq!(browser.displayed_name(tab), Some("ada".into()));
    browser.advance(secs(835 + 2));
    browser.run_until_idle();
    assert_eq!(browser.count(paths::REFRESH), 2);
    browser.sign_in(tab, "bob");
    browser.advance(secs(2));
    browser.run_until_idle();
    assert_eq!(browser.displayed_name(tab), Some("bob".into()));
    browser.sign_out(tab);
    assert_eq!(browser.view(tab), ANONYMOUS, "immediately, as always");
    browser.advance(secs(2));
    browser.run_until_idle();
    assert_eq!((browser.active_sessions(), browser.marker_set()), (0, false));
}

#[test]
fn a_frozen_lock_holder_delays_others_briefly() {
    let mut browser = TestBrowser::with_signed_in_tabs(3, LockBehaviour::Works, true);
    browser.hold_lock_forever();
    browser.advance(secs(840));
    browser.advance(secs(2));
    browser.run_until_idle();
    assert_eq!(
        browser.count(paths::REFRESH),
        3 + 2,
        "one tab takes the second lock at the same time as another tab is told of its renewal"
    );
    for tab in 0..3 {
        assert_eq!(browser.displayed_name(tab), Some("ada".into()));
    }
}

#[test]
fn tabs_whose_wait_times_out_continue_one_at_a_time() {
    let mut browser = TestBrowser::with_signed_in_tabs(5, LockBehaviour::Works, true);
    // The first tab's refresh hangs.
    browser.advance(secs(835));
    assert_eq!(browser.open_paths(), [request(0, paths::REFRESH)]);
    browser.advance(secs(2));
    assert_eq!(
        browser.open_paths(),
        [request(0, paths::REFRESH), request(1, paths::REFRESH)],
        "one goes on, and not all four"
    );
    // Its request for the user, and the message about the renewal.
    browser.deliver(1);
    browser.deliver(1);
    browser.deliver_messages();
    assert_eq!(
        browser.open_paths(),
        [request(0, paths::REFRESH), request(2, paths::REFRESH)],
        "the next had its turn before it could hear of the renewal"
    );
    browser.run_until_idle();
    assert_eq!(
        browser.count(paths::REFRESH),
        5 + 3,
        "the last two looked again, and need none"
    );
    for tab in 0..5 {
        assert_eq!(browser.displayed_name(tab), Some("ada".into()));
    }
}

#[test]
fn a_timed_out_tab_takes_whichever_lock_is_free_first() {
    let mut browser = TestBrowser::with_signed_in_tabs(3, LockBehaviour::Works, true);
    browser.advance(secs(835));
    browser.advance(secs(2));
    assert_eq!(
        browser.open_paths(),
        [request(0, paths::REFRESH), request(1, paths::REFRESH)]
    );
    browser.drop_messages();
    browser.deliver(0);
    let me = browser.open_count() - 1;
    browser.deliver(me);
    browser.drop_messages();
    assert_eq!(
        browser.open_paths(),
        [request(1, paths::REFRESH), request(2, paths::REFRESH)]
    );
    browser.run_until_idle();
    for tab in 0..3 {
        assert_eq!(browser.displayed_name(tab), Some("ada".into()));
    }
}

#[test]
fn two_stuck_locks_cost_seventeen_seconds() {
    let mut browser = TestBrowser::new(LockBehaviour::BothStuck, true);
    browser.add_session_cookie();
    let tab = browser.open_tab(SessionView::Restoring);
    browser.advance(secs(16));
    assert_eq!(browser.open_count(), 0);
    browser.advance(secs(1));
    browser.run_until_idle();
    assert_eq!(browser.displayed_name(tab), Some("ada".into()));
}

#[test]
fn a_tab_that_stops_waiting_leaves_both_queues() {
    let mut browser = TestBrowser::with_signed_in_tabs(3, LockBehaviour::Works, true);
    browser.advance(secs(835));
    browser.advance(secs(2));
    browser.run_until_idle();
    for _ in 0..3 {
        browser.advance(secs(840));
        browser.run_until_idle();
        for tab in 0..3 {
            assert_eq!(browser.displayed_name(tab), Some("ada".into()));
        }
    }
    assert!(browser.count(paths::REFRESH) <= 3 * 5);
}
