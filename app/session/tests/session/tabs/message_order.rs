//! Messages that are late, duplicated or out of order.

use api_types::paths;
use session_client::SessionView;

use super::{UNFINISHED, request};
use crate::support::{LockBehaviour, TestBrowser, secs};

#[test]
fn an_old_sign_out_does_not_end_a_newer_sign_in() {
    let mut browser = TestBrowser::with_signed_in_tabs(2, LockBehaviour::Works, true);
    browser.sign_in(1, "bob");
    browser.run_until_idle();
    for _ in 0..2 {
        browser.deliver_text(1, "signed-out");
        browser.deliver_text(1, "signed-out");
        assert_eq!(browser.view(1), SessionView::Restoring);
        browser.run_until_idle();
        assert_eq!(browser.displayed_name(1), Some("bob".into()));
    }
    browser.deliver_text(1, "ended expired");
    browser.deliver_text(1, "signed-in id-ada");
    browser.deliver_text(1, "nonsense");
    browser.run_until_idle();
    assert_eq!(browser.displayed_name(1), Some("bob".into()));
    assert_eq!(browser.active_sessions(), 1);
}

#[test]
fn an_old_sign_in_does_not_undo_a_newer_sign_out() {
    let mut browser = TestBrowser::with_signed_in_tabs(2, LockBehaviour::Works, true);
    browser.sign_out(0);
    browser.deliver_text(0, "signed-in id-ada");
    browser.deliver_text(1, "signed-in id-ada");
    assert!(browser.is_anonymous(0) && browser.is_anonymous(1));
    browser.lose_all();
    browser.deliver_text(0, "signed-in id-ada");
    assert_eq!(browser.view(0), UNFINISHED, "the marker says that it is older");
    assert_eq!(browser.count(paths::REFRESH), 2);
    browser.advance(secs(60));
    browser.run_until_idle();
    assert_eq!(browser.active_sessions(), 0);
    browser.deliver_text(0, "signed-in id-ada");
    browser.run_until_idle();
    assert!(browser.is_anonymous(0), "the server reported no session");
}

#[test]
fn a_hundred_messages_cost_two_refreshes() {
    let mut browser = TestBrowser::with_signed_in_tabs(2, LockBehaviour::Works, true);
    for _ in 0..100 {
        browser.deliver_text(1, "signed-in id-bob");
    }
    browser.run_until_idle();
    assert_eq!(
        browser.count(paths::REFRESH),
        2 + 2,
        "the one under way, and one for all the rest"
    );
}

#[test]
fn a_pending_refusal_does_not_end_a_newer_sign_in() {
    for name in ["ada", "bob"] {
        // Without a lock, so that the two requests cross.
        let mut browser = TestBrowser::with_signed_in_tabs(2, LockBehaviour::Missing, true);
        browser.advance(secs(835));
        assert_eq!(
            browser.open_paths(),
            [request(0, paths::REFRESH), request(1, paths::REFRESH)]
        );
        browser.lose(0);
        browser.sign_in(0, name);
        let login = browser.open_count() - 1;
        browser.arrive(login);
        // The refresh of the second tab reaches a session that was just replaced. Its refusal is still under way.
        browser.arrive(0);
        browser.deliver(login);
        browser.deliver_messages();
        assert_eq!(browser.displayed_name(1), None, "{name}");
    }
}
