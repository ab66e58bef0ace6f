//! The back/forward cache.

use session_client::{BrowserEvent, SessionView};

use super::ANONYMOUS;
use crate::support::{LockBehaviour, TestBrowser, secs};

#[test]
fn a_bfcache_page_hides_the_user_until_verified() {
    let mut browser = TestBrowser::with_signed_in_tabs(2, LockBehaviour::Works, true);
    browser.fire_event(1, BrowserEvent::EnteredBfcache);
    assert_eq!(
        browser.view(1),
        SessionView::Restoring,
        "this is what the browser keeps"
    );
    browser.advance(secs(3600));
    assert!(
        browser.open_paths().iter().all(|(tab, _)| *tab == 0),
        "and it does nothing meanwhile"
    );
    browser.run_until_idle();
    browser.fire_event(1, BrowserEvent::RestoredFromBfcache);
    browser.run_until_idle();
    assert_eq!(browser.displayed_name(1), Some("ada".into()));

    browser.fire_event(1, BrowserEvent::EnteredBfcache);
    browser.sign_out(0);
    browser.answer_all();
    browser.drop_messages();
    browser.fire_event(1, BrowserEvent::RestoredFromBfcache);
    assert_eq!(browser.view(1), SessionView::Restoring);
    browser.run_until_idle();
    assert!(browser.is_anonymous(1));
    let shown_after = browser.views(1).into_iter().rev().take(2).collect::<Vec<_>>();
    assert!(
        !shown_after
            .iter()
            .any(|view| matches!(view, SessionView::SignedIn { .. }))
    );
}

#[test]
fn an_anonymous_bfcache_page_sends_nothing() {
    let mut browser = TestBrowser::new(LockBehaviour::Works, true);
    let tab = browser.open_tab(ANONYMOUS);
    for browser_event in [
        BrowserEvent::EnteredBfcache,
        BrowserEvent::RestoredFromBfcache,
        BrowserEvent::Visible,
        BrowserEvent::Online,
        BrowserEvent::MarkerChanged,
    ] {
        browser.fire_event(tab, browser_event);
    }
    assert_eq!(browser.view(tab), ANONYMOUS);
    assert_eq!(browser.open_count(), 0);
}
