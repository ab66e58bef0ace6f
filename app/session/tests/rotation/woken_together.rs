//! Several tabs that wake at the same time on a slow line, after a lost response (L10): no tab is signed out, and no
//! theft is reported. In real Chromium this ended the session in 2 of 2 trials before the tabs queued at a second lock.

use std::time::Duration;

use api_types::paths;
use session_client::SessionView;

use crate::{
    allowance::most_at_once,
    keyturn::{Keyturn, Sight},
    shared::{Browser, Lock, secs},
};

/// In each direction.
const LATENCY: Duration = Duration::from_millis(750);

/// Opens tabs of ada's. The server carried out her last refresh, its response was lost, and the grace period has ended.
fn after_a_lost_answer(tabs: usize, lock: Lock, channel: bool) -> Browser<Keyturn> {
    let mut browser = Browser::new(lock, channel);
    browser.sign_ada_in_elsewhere();
    for _ in 0..tabs {
        browser.open_tab(SessionView::Restoring);
        browser.live_with_latency(Duration::from_millis(1), secs(20));
    }
    let lost = browser.open_tab(SessionView::Restoring);
    browser.advance(secs(2));
    browser.arrive(0);
    browser.lose(0);
    browser.close_tab(lost);
    browser.skip_to(browser.now() + secs(12));
    browser
}

fn wake_all(browser: &mut Browser<Keyturn>, latency: Duration) {
    for tab in browser.open_tabs() {
        browser.close_tab(tab);
        browser.open_tab(SessionView::Restoring);
    }
    browser.live_with_latency(latency, secs(60));
}

fn assert_signed_in(browser: &Browser<Keyturn>, case: &str) {
    browser.on_server(|server| assert!(!server.sights.contains(&Sight::Reuse), "{case}"));
    assert_eq!(browser.alive(), 1, "{case}");
    for tab in browser.open_tabs() {
        assert_eq!(browser.shown(tab), Some("ada".into()), "{case}, tab {tab}");
    }
}

#[test]
fn tabs_that_wake_together_on_a_slow_line_stay_signed_in() {
    for latency in [50, 300, 750, 1_100, 2_000, 3_500] {
        for tabs in [2, 3, 8] {
            for lock in [Lock::Works, Lock::HeldByTheDead] {
                for channel in [true, false] {
                    let case = format!("{tabs} tabs, {latency} ms each way, {lock:?}, channel {channel}");
                    let mut browser = after_a_lost_answer(tabs, lock, channel);
                    wake_all(&mut browser, Duration::from_millis(latency));
                    assert_signed_in(&browser, &case);
                }
            }
        }
    }
}

#[test]
fn waiting_tabs_do_not_all_go_on_when_the_lock_times_out() {
    let mut browser = after_a_lost_answer(8, Lock::Works, true);
    let before = browser.count(paths::REFRESH);
    wake_all(&mut browser, LATENCY);
    assert_signed_in(&browser, "8 tabs");
    assert_eq!(most_at_once(&browser.journal()), 2, "one for each lock");
    assert_eq!(
        browser.count(paths::REFRESH) - before,
        8,
        "and none is asked twice"
    );
}
