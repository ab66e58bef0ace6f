//! Several tabs that wake at the same time on a slow line, after a lost response (L10): no tab is signed out, and no
//! theft is reported. In real Chromium this ended the session in 2 of 2 trials before the tabs queued at a second lock.

use std::time::Duration;

use api_types::paths;
use session_client::SessionView;

use crate::{
    allowed_refreshes::most_at_once,
    rotation_server::{ObservedOutcome, RotationServer},
    shared::{LockBehaviour, TestBrowser, secs},
};

/// In each direction.
const LATENCY: Duration = Duration::from_millis(750);

/// Opens tabs of ada's. The server carried out her last refresh, its response was lost, and the grace period has ended.
fn after_lost_response(tabs: usize, lock: LockBehaviour, channel: bool) -> TestBrowser<RotationServer> {
    let mut browser = TestBrowser::new(lock, channel);
    browser.add_session_cookie();
    for _ in 0..tabs {
        browser.open_tab(SessionView::Restoring);
        browser.run_with_latency(Duration::from_millis(1), secs(20));
    }
    let lost = browser.open_tab(SessionView::Restoring);
    browser.advance(secs(2));
    browser.arrive(0);
    browser.lose(0);
    browser.close_tab(lost);
    browser.skip_to(browser.now() + secs(12));
    browser
}

fn reload_all(browser: &mut TestBrowser<RotationServer>, latency: Duration) {
    for tab in browser.open_tabs() {
        browser.close_tab(tab);
        browser.open_tab(SessionView::Restoring);
    }
    browser.run_with_latency(latency, secs(60));
}

fn assert_signed_in(browser: &TestBrowser<RotationServer>, case: &str) {
    browser.on_server(|server| assert!(!server.outcomes.contains(&ObservedOutcome::Reuse), "{case}"));
    assert_eq!(browser.active_sessions(), 1, "{case}");
    for tab in browser.open_tabs() {
        assert_eq!(
            browser.displayed_name(tab),
            Some("ada".into()),
            "{case}, tab {tab}"
        );
    }
}

#[test]
fn tabs_waking_together_on_a_slow_line_stay_signed_in() {
    for latency in [50, 300, 750, 1_100, 2_000, 3_500] {
        for tabs in [2, 3, 8] {
            for lock in [LockBehaviour::Works, LockBehaviour::FirstStuck] {
                for channel in [true, false] {
                    let case = format!("{tabs} tabs, {latency} ms each way, {lock:?}, channel {channel}");
                    let mut browser = after_lost_response(tabs, lock, channel);
                    reload_all(&mut browser, Duration::from_millis(latency));
                    assert_signed_in(&browser, &case);
                }
            }
        }
    }
}

#[test]
fn waiting_tabs_continue_one_at_a_time_after_timeout() {
    let mut browser = after_lost_response(8, LockBehaviour::Works, true);
    let before = browser.count(paths::REFRESH);
    reload_all(&mut browser, LATENCY);
    assert_signed_in(&browser, "8 tabs");
    assert_eq!(most_at_once(&browser.journal()), 2, "one for each lock");
    assert_eq!(
        browser.count(paths::REFRESH) - before,
        8,
        "and none is asked twice"
    );
}
