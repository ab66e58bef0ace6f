//! Random orders of events. The seed is the number of the run, so that a failing run can be repeated.

use proptest::{
    prelude::RngExt,
    test_runner::{RngAlgorithm, TestRng},
};
use session_client::{BrowserEvent, SessionView};

use crate::support::{LockBehaviour, TestBrowser, secs};

fn seeded_rng(run: u64) -> TestRng {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&run.to_le_bytes());
    TestRng::from_seed(RngAlgorithm::ChaCha, &seed)
}

/// Events after which a tab checks its session.
const RETURNS: [BrowserEvent; 3] = [
    BrowserEvent::Visible,
    BrowserEvent::Online,
    BrowserEvent::RestoredFromBfcache,
];

fn any_of<T: Copy>(rng: &mut TestRng, choices: &[T]) -> T {
    choices[rng.random_range(0..choices.len())]
}

/// The index of a message that is on its way.
fn any_message(rng: &mut TestRng, browser: &TestBrowser) -> usize {
    rng.random_range(0..browser.message_count())
}

/// The index of a request without a response.
fn any_request(rng: &mut TestRng, browser: &TestBrowser) -> usize {
    rng.random_range(0..browser.open_count())
}

#[test]
fn in_any_order_all_tabs_agree_in_the_end() {
    for run in 0..600 {
        let mut rng = seeded_rng(run);
        let mut browser = TestBrowser::with_signed_in_tabs(3, LockBehaviour::Works, true);
        let mut sent = vec![];
        for _ in 0..40 {
            let tab = rng.random_range(0..3);
            match rng.random_range(0..12) {
                0 => browser.sign_out(tab),
                1 => drop(browser.sign_in(tab, "bob")),
                2 => drop(browser.sign_in(tab, "ada")),
                3 => browser.fire_event(tab, any_of(&mut rng, &RETURNS)),
                // No wait for the lock times out here; another test covers that.
                4 if browser.open_count() == 0 => browser.advance(secs(1)),
                5 => {
                    let name = browser.displayed_name(tab);
                    sent.push((name, browser.send(tab)));
                }
                6 | 7 if browser.message_count() > 0 => {
                    browser.deliver_message(any_message(&mut rng, &browser));
                }
                8 if browser.open_count() > 0 => browser.lose(any_request(&mut rng, &browser)),
                _ if browser.open_count() > 0 => browser.deliver(any_request(&mut rng, &browser)),
                _ => {}
            }
        }
        for _ in 0..10 {
            browser.run_until_idle();
            browser.advance(secs(30));
        }
        browser.run_until_idle();
        let owner = browser.cookie_owner();
        assert!(!browser.marker_set(), "run {run}: a sign-out was never finished");
        for tab in 0..3 {
            assert_eq!(
                browser.displayed_name(tab),
                owner,
                "run {run}, tab {tab}: {:?}",
                browser.view(tab)
            );
        }
        for (name, task) in sent {
            if name.is_some()
                && !task.is_pending()
                && let Ok(answer) = task.done()
                && answer.status == 200
            {
                assert_eq!(Some(answer.body.trim_matches('"').to_owned()), name, "run {run}");
            }
        }
    }
}

#[test]
fn in_any_order_refreshes_sign_no_tab_out() {
    for run in 0..600 {
        let mut rng = seeded_rng(run);
        let lock = any_of(
            &mut rng,
            &[
                LockBehaviour::Works,
                LockBehaviour::Missing,
                LockBehaviour::FirstStuck,
            ],
        );
        let mut browser = TestBrowser::new(lock, rng.random_range(0..2) == 0);
        if lock == LockBehaviour::Works {
            // After a timeout, two tabs refresh at the same time, as they do without a lock.
            browser.prevent_lock_timeouts();
        }
        browser.add_session_cookie();
        for _ in 0..4 {
            browser.open_tab(SessionView::Restoring);
        }
        for _ in 0..60 {
            let tab = rng.random_range(0..4);
            match rng.random_range(0..8) {
                // Without the lock a response may be so late that its cookie is two rotations old when it arrives. A
                // tab cannot detect that; the server's grace period handles it.
                0 if lock == LockBehaviour::Works => {
                    browser.fire_event(tab, any_of(&mut rng, &RETURNS));
                }
                1 => {
                    browser.answer_all();
                    browser.advance(secs([1, 3, 840][rng.random_range(0..3)]));
                }
                2 if browser.open_count() > 0 => browser.lose(any_request(&mut rng, &browser)),
                3 if browser.open_count() > 0 => browser.arrive(any_request(&mut rng, &browser)),
                _ if browser.open_count() > 0 => browser.deliver(any_request(&mut rng, &browser)),
                _ => {}
            }
        }
        for _ in 0..5 {
            browser.run_until_idle();
            browser.advance(secs(40));
        }
        browser.run_until_idle();
        for tab in 0..4 {
            assert_eq!(
                browser.displayed_name(tab),
                Some("ada".into()),
                "run {run}, {lock:?}: {:?}",
                browser.view(tab)
            );
        }
    }
}

#[test]
fn in_any_order_a_sign_out_is_never_undone() {
    for run in 0..600 {
        let mut rng = seeded_rng(run);
        let lock = any_of(
            &mut rng,
            &[
                LockBehaviour::Works,
                LockBehaviour::Missing,
                LockBehaviour::FirstStuck,
            ],
        );
        let mut browser = TestBrowser::with_tabs_after_lock_timeout(3, lock, rng.random_range(0..2) == 0);
        browser.advance(secs(rng.random_range(0..2) * 836));
        let mut signed_out = false;
        for step in 0..60 {
            let tab = rng.random_range(0..3);
            match rng.random_range(0..9) {
                0 if step > 10 => {
                    browser.sign_out(tab);
                    signed_out = true;
                }
                1 => browser.fire_event(
                    tab,
                    any_of(
                        &mut rng,
                        &[
                            BrowserEvent::Visible,
                            BrowserEvent::Online,
                            BrowserEvent::RestoredFromBfcache,
                            BrowserEvent::MarkerChanged,
                        ],
                    ),
                ),
                2 => browser.advance(secs([1, 3][rng.random_range(0..2)])),
                3 if browser.message_count() > 0 => browser.deliver_message(any_message(&mut rng, &browser)),
                4 if browser.open_count() > 0 => browser.lose(any_request(&mut rng, &browser)),
                5 if browser.open_count() > 0 => browser.arrive(any_request(&mut rng, &browser)),
                _ if browser.open_count() > 0 => browser.deliver(any_request(&mut rng, &browser)),
                _ => {}
            }
        }
        if !signed_out {
            continue;
        }
        for _ in 0..5 {
            browser.run_until_idle();
            browser.advance(secs(40));
        }
        browser.run_until_idle();
        for tab in 0..3 {
            browser.fire_event(tab, BrowserEvent::Visible);
            browser.run_until_idle();
        }
        browser.run_until_idle();
        assert_eq!(
            (browser.active_sessions(), browser.marker_set()),
            (0, false),
            "run {run}, {lock:?}"
        );
        let reloaded = browser.open_tab(SessionView::Restoring);
        for _ in 0..3 {
            browser.advance(secs(3));
            browser.run_until_idle();
        }
        for tab in 0..=reloaded {
            assert!(
                browser.is_anonymous(tab),
                "run {run}, {lock:?}, tab {tab}: {:?}",
                browser.view(tab)
            );
        }
    }
}
