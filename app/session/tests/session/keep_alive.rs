//! One tab keeps the session active for all: a tab that learns of a renewal does not refresh until it needs a token for
//! a request.

use api_types::paths;
use session_client::{SessionView, Wakeup};

use crate::support::{Browser, Lock, NOTES, TTL, secs};

/// Opens tabs a second apart, with ada signed in.
fn opened_one_by_one(tabs: usize, lock: Lock, channel: bool) -> Browser {
    let mut browser = Browser::new(lock, channel);
    browser.spread();
    browser.sign_ada_in_elsewhere();
    for _ in 0..tabs {
        browser.open_tab(SessionView::Restoring);
        browser.calm_down();
        browser.live(secs(1));
    }
    assert_eq!(
        browser.count(paths::REFRESH),
        tabs,
        "a page that was loaded has no token"
    );
    browser
}

fn all_show_ada(browser: &Browser, tabs: usize) {
    for tab in 0..tabs {
        assert_eq!(browser.shown(tab), Some("ada".into()), "tab {tab}");
    }
}

#[test]
fn each_expiry_costs_one_refresh_however_many_tabs_there_are() {
    for lock in [Lock::Works, Lock::Missing] {
        let mut browser = opened_one_by_one(50, lock, true);
        browser.live(secs(10 * TTL));
        let renewals = browser.count(paths::REFRESH) - 50;
        assert!((10..=11).contains(&renewals), "{lock:?}: {renewals}");
        all_show_ada(&browser, 50);
    }
}

#[test]
fn tabs_that_are_due_in_the_same_instant_cost_two_at_most() {
    let mut browser = Browser::with_ada_in(50, Lock::Works, true);
    browser.hear_all();
    browser.advance(secs(835));
    assert_eq!(browser.open(), 1, "the others wait for their turn");
    browser.calm_down();
    assert!(browser.count(paths::REFRESH) <= 50 + 2);
    all_show_ada(&browser, 50);
}

#[test]
fn a_tab_whose_token_has_ended_gets_one_when_it_needs_one() {
    let mut browser = opened_one_by_one(2, Lock::Works, true);
    browser.live(secs(3 * TTL));
    let refreshes = browser.count(paths::REFRESH);
    let answers: Vec<_> = (0..2).map(|tab| browser.send(tab)).collect();
    browser.calm_down();
    for answer in answers {
        assert_eq!(answer.done().expect("an answer").status, 200);
    }
    assert!(browser.count(paths::REFRESH) <= refreshes + 1);
    assert_eq!(
        browser.count(NOTES),
        2,
        "no request went out with a token that had ended"
    );
    all_show_ada(&browser, 2);
}

#[test]
fn a_tab_whose_token_has_ended_renews_it_when_it_is_looked_at() {
    let mut browser = opened_one_by_one(2, Lock::Works, true);
    browser.skip_to(secs(TTL + 10));
    browser.hear_text(0, "renewed id-ada");
    assert_eq!(browser.open(), 0);
    browser.wake(0, Wakeup::Shown);
    assert_eq!(browser.open_paths(), [(0, paths::REFRESH.to_owned())]);
}

#[test]
fn without_a_channel_each_tab_renews_for_itself() {
    let mut browser = opened_one_by_one(5, Lock::Works, false);
    browser.live(secs(TTL));
    assert_eq!(browser.count(paths::REFRESH), 10);
    all_show_ada(&browser, 5);
}

#[test]
fn the_other_tabs_take_over_when_one_is_closed() {
    let mut browser = opened_one_by_one(3, Lock::Works, true);
    for closed in 0..2 {
        browser.live(secs(TTL));
        browser.close_tab(closed);
    }
    let before = browser.count(paths::REFRESH);
    browser.live(secs(2 * TTL));
    assert!(browser.count(paths::REFRESH) >= before + 2);
    assert_eq!(browser.shown(2), Some("ada".into()));
}

#[test]
fn hearing_that_somebody_else_was_renewed_shows_nobody_until_the_server_has_said_who_it_is() {
    let mut browser = opened_one_by_one(2, Lock::Works, true);
    browser.hear_text(0, "renewed id-bob");
    assert_eq!(browser.view(0), SessionView::Restoring);
    browser.calm_down();
    assert_eq!(browser.shown(0), Some("ada".into()));
}

#[test]
fn news_of_a_renewal_brings_nobody_back() {
    let mut browser = opened_one_by_one(2, Lock::Works, true);
    browser.sign_out(0);
    browser.calm_down();
    let asked = browser.count(paths::REFRESH);
    for tab in [0, 1] {
        browser.hear_text(tab, "renewed id-ada");
        assert!(browser.is_anonymous(tab));
    }
    assert_eq!((browser.open(), browser.count(paths::REFRESH)), (0, asked));
}

#[test]
fn eight_hours_of_sleep_cost_no_storm() {
    let mut browser = opened_one_by_one(5, Lock::Works, true);
    browser.sleep_and_wake(secs(8 * 3600));
    browser.wake(3, Wakeup::Online);
    browser.wake(3, Wakeup::Shown);
    browser.calm_down();
    // One for all, one that began before the message about the first arrived, and one for the tab that became visible.
    let most = 5 + 3;
    assert!(browser.count(paths::REFRESH) <= most);
    browser.live(secs(60));
    assert!(browser.count(paths::REFRESH) <= most, "missed ones are skipped");
    all_show_ada(&browser, 5);
}
