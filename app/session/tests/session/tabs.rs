//! Several tabs of one browser, with a server that has sessions.

use api_types::{paths, problem::EndReason};
use session_client::{ApiError, EndedBecause, SessionView, Wakeup};

use crate::support::{Browser, Lock, NOTES, Sessions, TTL, secs};

const ANONYMOUS: SessionView = SessionView::Anonymous { because: None };
const UNFINISHED: SessionView = SessionView::Anonymous {
    because: Some(EndedBecause::SignOutUnfinished),
};
const ELSEWHERE: SessionView = SessionView::Anonymous {
    because: Some(EndedBecause::Revoked(Some(EndReason::Logout))),
};

fn to(tab: usize, path: &str) -> (usize, String) {
    (tab, path.to_owned())
}

// ------------------------------------------------------------------------------------------------------ signing out

#[test]
fn a_sign_out_reaches_the_other_tabs_before_the_server_has_answered() {
    let mut browser = Browser::with_ada_in(3, Lock::Works, true);
    browser.sign_out(0);
    browser.hear_all();
    for tab in [1, 2] {
        assert_eq!(browser.view(tab), ELSEWHERE);
    }
    browser.calm_down();
    assert_eq!(browser.view(0), ANONYMOUS, "a click needs no explanation");
    assert_eq!(browser.view(1), ELSEWHERE);
    assert_eq!((browser.alive(), browser.marked()), (0, false));
    assert_eq!(browser.count(paths::LOGOUT), 1, "one tab tells the server");
    browser.advance(secs(3600));
    assert_eq!(browser.open(), 0, "and that is the end of it");
    assert_eq!(browser.count(paths::REFRESH), 3);
}

#[test]
fn a_sign_out_that_is_heard_of_late_is_checked_with_the_server() {
    let mut browser = Browser::with_ada_in(2, Lock::Works, true);
    browser.sign_out(0);
    browser.serve();
    assert_eq!(browser.shown(1), Some("ada".into()), "it has not heard yet");
    browser.hear(0);
    assert_eq!(
        browser.view(1),
        SessionView::Restoring,
        "no user is shown meanwhile"
    );
    browser.calm_down();
    assert_eq!(browser.view(1), ELSEWHERE);
}

#[test]
fn an_offline_sign_out_is_finished_before_anything_is_refreshed() {
    let mut browser = Browser::with_ada_in(1, Lock::Works, true);
    browser.sign_out(0);
    assert!(browser.marked(), "from the very first moment");
    browser.lose_all();
    assert_eq!(browser.view(0), UNFINISHED);
    browser.close_tab(0);

    // A reload while the network is still down: the server saw the cookie, but the page knows of the sign-out.
    let second = browser.open_tab(SessionView::Restoring);
    assert_eq!(browser.view(second), UNFINISHED);
    browser.advance(secs(0));
    assert_eq!(browser.open_paths(), [to(second, paths::LOGOUT)]);
    browser.lose_all();
    assert_eq!(browser.view(second), UNFINISHED);
    assert!(browser.marked());

    // And a reload when the network is back.
    browser.close_tab(second);
    let third = browser.open_tab(SessionView::Restoring);
    browser.advance(secs(0));
    browser.calm_down();
    assert_eq!(browser.view(third), ELSEWHERE);
    assert_eq!((browser.alive(), browser.marked()), (0, false));
    assert_eq!(browser.count(paths::REFRESH), 1, "only the one of the first page");
}

#[test]
fn an_offline_sign_out_is_finished_when_the_browser_is_online_again() {
    let mut browser = Browser::with_ada_in(1, Lock::Works, true);
    browser.sign_out(0);
    for wait in [1, 2, 4, 8, 16, 30, 30] {
        browser.lose_all();
        browser.advance(secs(wait));
        assert_eq!(browser.open_paths(), [to(0, paths::LOGOUT)], "it goes on trying");
    }
    browser.lose_all();
    browser.wake(0, Wakeup::Online);
    browser.advance(secs(1));
    browser.calm_down();
    assert_eq!(browser.view(0), ANONYMOUS);
    assert_eq!((browser.alive(), browser.marked()), (0, false));
}

#[test]
fn a_server_that_fails_is_not_a_finished_sign_out() {
    let mut browser = Browser::with_ada_in(2, Lock::Works, true);
    browser.sign_out(0);
    browser.lose_all();
    browser.hear_all();
    assert_eq!(browser.view(0), UNFINISHED);
    assert_eq!(browser.view(1), ELSEWHERE);
    // The tab in which the user signed out is closed; the other one finishes the sign-out.
    browser.close_tab(0);
    browser.advance(secs(5));
    assert!(browser.open_paths().contains(&to(1, paths::LOGOUT)));
    browser.calm_down();
    assert_eq!((browser.alive(), browser.marked()), (0, false));
    assert_eq!(browser.view(1), ELSEWHERE);
}

#[test]
fn signing_in_replaces_the_session_that_was_not_finished() {
    let mut browser = Browser::with_ada_in(2, Lock::Works, true);
    browser.sign_out(0);
    browser.lose_all();
    browser.hear_all();
    browser.sign_in(0, "bob");
    browser.calm_down();
    assert_eq!(browser.shown(0), Some("bob".into()));
    assert_eq!(browser.shown(1), Some("bob".into()));
    assert!(!browser.marked());
    assert_eq!(browser.alive(), 1, "the server ended ada's");
    browser.advance(secs(60));
    browser.calm_down();
    assert_eq!(
        browser.count(paths::LOGOUT),
        1,
        "no retry of the sign-out is left"
    );
    assert_eq!(browser.shown(0), Some("bob".into()));
}

#[test]
fn a_sign_in_that_is_refused_leaves_the_sign_out_to_be_finished() {
    let mut browser = Browser::with_ada_in(1, Lock::Works, true);
    browser.sign_out(0);
    browser.lose_all();
    browser.sign_in(0, "stranger");
    browser.calm_down();
    assert_eq!(browser.view(0), UNFINISHED);
    assert!(browser.marked());
    browser.advance(secs(1));
    browser.calm_down();
    assert_eq!((browser.alive(), browser.marked()), (0, false));
}

#[test]
fn a_refresh_that_answers_after_another_tab_signed_out_brings_nobody_back() {
    // Without a lock, so that the two requests cross; without a channel, so that only the marker informs the other tab.
    let mut browser = Browser::with_ada_in(2, Lock::Missing, false);
    browser.advance(secs(840));
    browser.arrive(1);
    browser.sign_out(0);
    browser.deliver(1);
    assert!(browser.is_anonymous(1));
    browser.serve();
    browser.advance(secs(60));
    browser.serve();
    assert_eq!((browser.alive(), browser.marked()), (0, false));
    assert!(browser.is_anonymous(0) && browser.is_anonymous(1));
}

#[test]
fn a_tab_that_hears_nothing_sees_the_marker_when_the_storage_changes() {
    let mut browser = Browser::with_ada_in(2, Lock::Works, false);
    browser.sign_out(0);
    browser.wake(1, Wakeup::Marked);
    assert_eq!(browser.view(1), ELSEWHERE);
    browser.serve();
    browser.wake(1, Wakeup::Marked);
    browser.advance(secs(3600));
    assert_eq!(browser.count(paths::LOGOUT), 1, "and that it was finished");
}

#[test]
fn signing_out_after_the_cookies_were_cleared_ends_the_session() {
    let mut browser = Browser::with_ada_in(2, Lock::Works, true);
    browser.clear_cookies();
    browser.sign_out(0);
    browser.calm_down();
    assert_eq!((browser.alive(), browser.marked()), (0, false));
    assert!(browser.is_anonymous(0) && browser.is_anonymous(1));
}

#[test]
fn a_tab_that_finishes_another_tab_s_sign_out_knows_which_session_to_end() {
    let mut browser = Browser::with_ada_in(2, Lock::Works, true);
    browser.clear_cookies();
    browser.sign_out(0);
    browser.lose_all();
    browser.hear_all();
    browser.close_tab(0);
    browser.advance(secs(5));
    browser.calm_down();
    assert_eq!((browser.alive(), browser.marked()), (0, false));
}

// ----------------------------------------------------------------------------------------------------- another user

#[test]
fn signing_in_as_somebody_else_shows_nobody_in_the_other_tabs_until_they_know() {
    let mut browser = Browser::with_ada_in(3, Lock::Works, true);
    let adas = browser.send(1);
    browser.sign_in(0, "bob");
    assert_eq!(browser.open_paths(), [to(1, NOTES), to(0, paths::LOGIN)]);
    browser.deliver(1);
    assert_eq!(browser.shown(0), Some("bob".into()));
    browser.hear_all();
    for tab in [1, 2] {
        assert_eq!(browser.view(tab), SessionView::Restoring);
    }
    browser.calm_down();
    assert_eq!(
        adas.done().err(),
        Some(ApiError::SignedOut),
        "ada's answer is not bob's"
    );
    for tab in 0..3 {
        assert_eq!(browser.shown(tab), Some("bob".into()));
    }
}

#[test]
fn signing_in_reaches_tabs_where_nobody_was_signed_in() {
    let mut browser = Browser::new(Lock::Works, true);
    let first = browser.open_tab(ANONYMOUS);
    let second = browser.open_tab(ANONYMOUS);
    browser.sign_in(first, "ada");
    browser.calm_down();
    assert_eq!(browser.shown(second), Some("ada".into()));
}

#[test]
fn a_sign_in_elsewhere_that_is_heard_of_while_a_sign_out_is_under_way_is_not_missed() {
    let mut browser = Browser::with_ada_in(2, Lock::Works, true);
    browser.sign_in(0, "bob");
    browser.sign_out(1);
    assert_eq!(browser.open_paths(), [to(0, paths::LOGIN)]);
    browser.deliver(0);
    assert_eq!(browser.open_paths(), [to(1, paths::LOGOUT)]);
    browser.hear_all();
    assert_eq!(browser.view(1), ANONYMOUS);
    browser.lose_all();
    // The sign-in has removed the marker, so there is no sign-out left to send.
    browser.advance(secs(1));
    browser.calm_down();
    assert_eq!(browser.count(paths::LOGOUT), 1);
    assert_eq!(browser.jar_leads_to(), Some("bob".into()));
    assert_eq!(browser.shown(1), Some("bob".into()));
}

#[test]
fn the_same_person_signing_in_again_disturbs_nobody() {
    let mut browser = Browser::with_ada_in(2, Lock::Works, true);
    let before = browser.views(1).len();
    browser.sign_in(0, "ada");
    browser.calm_down();
    assert_eq!(browser.views(1).len(), before, "nothing moves on the other page");
    assert_eq!(
        browser.count(paths::REFRESH),
        2,
        "and nothing is asked for ahead of need"
    );
    let notes = browser.send(1);
    browser.calm_down();
    assert!(
        notes.done().is_ok(),
        "its token has ended with its session; the next request got another"
    );
    assert_eq!(browser.count(NOTES), 1);
}

#[test]
fn the_end_of_a_session_reaches_the_other_tabs_with_its_reason() {
    let mut browser = Browser::with_ada_in(3, Lock::Works, true);
    browser.on_server(Sessions::revoke_all);
    let request = browser.send(0);
    browser.calm_down();
    assert!(request.done().is_err());
    for tab in 0..3 {
        let because = Some(EndedBecause::Revoked(Some(EndReason::RevokedByUser)));
        assert_eq!(browser.view(tab), SessionView::Anonymous { because });
    }
    assert_eq!(
        browser.told(),
        ["ended revoked-by-user"],
        "a received message is not sent again"
    );
}

// ------------------------------------------------------------------------------------------ late, duplicated, reordered

#[test]
fn an_old_sign_out_does_not_end_a_newer_sign_in() {
    let mut browser = Browser::with_ada_in(2, Lock::Works, true);
    browser.sign_in(1, "bob");
    browser.calm_down();
    for _ in 0..2 {
        browser.hear_text(1, "signed-out");
        browser.hear_text(1, "signed-out");
        assert_eq!(browser.view(1), SessionView::Restoring);
        browser.calm_down();
        assert_eq!(browser.shown(1), Some("bob".into()));
    }
    browser.hear_text(1, "ended expired");
    browser.hear_text(1, "signed-in id-ada");
    browser.hear_text(1, "nonsense");
    browser.calm_down();
    assert_eq!(browser.shown(1), Some("bob".into()));
    assert_eq!(browser.alive(), 1);
}

#[test]
fn an_old_sign_in_does_not_undo_a_newer_sign_out() {
    let mut browser = Browser::with_ada_in(2, Lock::Works, true);
    browser.sign_out(0);
    browser.hear_text(0, "signed-in id-ada");
    browser.hear_text(1, "signed-in id-ada");
    assert!(browser.is_anonymous(0) && browser.is_anonymous(1));
    browser.lose_all();
    browser.hear_text(0, "signed-in id-ada");
    assert_eq!(browser.view(0), UNFINISHED, "the marker says that it is older");
    assert_eq!(browser.count(paths::REFRESH), 2);
    browser.advance(secs(60));
    browser.calm_down();
    assert_eq!(browser.alive(), 0);
    browser.hear_text(0, "signed-in id-ada");
    browser.calm_down();
    assert!(browser.is_anonymous(0), "the server reported no session");
}

#[test]
fn a_flood_of_news_costs_two_refreshes() {
    let mut browser = Browser::with_ada_in(2, Lock::Works, true);
    for _ in 0..100 {
        browser.hear_text(1, "signed-in id-bob");
    }
    browser.calm_down();
    assert_eq!(
        browser.count(paths::REFRESH),
        2 + 2,
        "the one under way, and one for all the rest"
    );
}

#[test]
fn a_refusal_on_its_way_does_not_end_the_sign_in_that_is_heard_of_before_it() {
    for name in ["ada", "bob"] {
        // Without a lock, so that the two requests cross.
        let mut browser = Browser::with_ada_in(2, Lock::Missing, true);
        browser.advance(secs(835));
        assert_eq!(
            browser.open_paths(),
            [to(0, paths::REFRESH), to(1, paths::REFRESH)]
        );
        browser.lose(0);
        browser.sign_in(0, name);
        let login = browser.open() - 1;
        browser.arrive(login);
        // The refresh of the second tab reaches a session that was just replaced. Its refusal is still under way.
        browser.arrive(0);
        browser.deliver(login);
        browser.hear_all();
        assert_eq!(browser.shown(1), None, "{name}");
    }
}

// ------------------------------------------------------------------------------------------------------------ the lock

#[test]
fn with_the_lock_refreshes_stand_in_line() {
    let mut browser = Browser::with_ada_in(5, Lock::Works, true);
    browser.advance(secs(835));
    let mut most = 0;
    for _ in 0..20 {
        let refreshes = browser
            .open_paths()
            .iter()
            .filter(|(_, path)| path == paths::REFRESH)
            .count();
        most = most.max(refreshes);
        if browser.open() > 0 {
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
        assert_eq!(browser.shown(tab), Some("ada".into()));
    }
}

#[test]
fn a_sign_in_waits_for_the_refresh_of_another_tab() {
    let mut browser = Browser::with_ada_in(2, Lock::Works, true);
    browser.wake(1, Wakeup::Unstowed);
    assert_eq!(browser.open_paths(), [to(1, paths::REFRESH)]);
    browser.sign_in(0, "bob");
    assert_eq!(
        browser.open_paths(),
        [to(1, paths::REFRESH)],
        "so no late cookie can replace bob's"
    );
    browser.calm_down();
    assert_eq!(browser.jar_leads_to(), Some("bob".into()));
    assert_eq!(
        (browser.shown(0), browser.shown(1)),
        (Some("bob".into()), Some("bob".into()))
    );
}

#[test]
fn a_lock_that_is_never_granted_costs_two_seconds_and_nothing_else() {
    let mut browser = Browser::new(Lock::HeldByTheDead, true);
    browser.sign_ada_in_elsewhere();
    let tab = browser.open_tab(SessionView::Restoring);
    assert_eq!(browser.open(), 0);
    browser.advance(secs(2));
    browser.calm_down();
    assert_eq!(browser.shown(tab), Some("ada".into()));
    browser.advance(secs(835 + 2));
    browser.calm_down();
    assert_eq!(browser.count(paths::REFRESH), 2);
    browser.sign_in(tab, "bob");
    browser.advance(secs(2));
    browser.calm_down();
    assert_eq!(browser.shown(tab), Some("bob".into()));
    browser.sign_out(tab);
    assert_eq!(browser.view(tab), ANONYMOUS, "immediately, as always");
    browser.advance(secs(2));
    browser.calm_down();
    assert_eq!((browser.alive(), browser.marked()), (0, false));
}

#[test]
fn a_tab_that_freezes_with_the_lock_holds_nobody_up_for_long() {
    let mut browser = Browser::with_ada_in(3, Lock::Works, true);
    browser.freeze_lock();
    browser.advance(secs(840));
    browser.advance(secs(2));
    browser.calm_down();
    assert_eq!(
        browser.count(paths::REFRESH),
        3 + 2,
        "one tab takes the second lock at the same time as another tab is told of its renewal"
    );
    for tab in 0..3 {
        assert_eq!(browser.shown(tab), Some("ada".into()));
    }
}

#[test]
fn tabs_whose_wait_times_out_go_on_one_at_a_time() {
    let mut browser = Browser::with_ada_in(5, Lock::Works, true);
    // The first tab's refresh hangs.
    browser.advance(secs(835));
    assert_eq!(browser.open_paths(), [to(0, paths::REFRESH)]);
    browser.advance(secs(2));
    assert_eq!(
        browser.open_paths(),
        [to(0, paths::REFRESH), to(1, paths::REFRESH)],
        "one goes on, and not all four"
    );
    // Its request for the user, and the message about the renewal.
    browser.deliver(1);
    browser.deliver(1);
    browser.hear_all();
    assert_eq!(
        browser.open_paths(),
        [to(0, paths::REFRESH), to(2, paths::REFRESH)],
        "the next had its turn before it could hear of the renewal"
    );
    browser.calm_down();
    assert_eq!(
        browser.count(paths::REFRESH),
        5 + 3,
        "the last two looked again, and need none"
    );
    for tab in 0..5 {
        assert_eq!(browser.shown(tab), Some("ada".into()));
    }
}

#[test]
fn a_tab_whose_wait_timed_out_takes_the_first_lock_if_that_is_free_sooner() {
    let mut browser = Browser::with_ada_in(3, Lock::Works, true);
    browser.advance(secs(835));
    browser.advance(secs(2));
    assert_eq!(
        browser.open_paths(),
        [to(0, paths::REFRESH), to(1, paths::REFRESH)]
    );
    browser.drop_news();
    browser.deliver(0);
    let me = browser.open() - 1;
    browser.deliver(me);
    browser.drop_news();
    assert_eq!(
        browser.open_paths(),
        [to(1, paths::REFRESH), to(2, paths::REFRESH)]
    );
    browser.calm_down();
    for tab in 0..3 {
        assert_eq!(browser.shown(tab), Some("ada".into()));
    }
}

#[test]
fn two_locks_that_are_never_granted_cost_seventeen_seconds_and_nothing_else() {
    let mut browser = Browser::new(Lock::BothHeldByTheDead, true);
    browser.sign_ada_in_elsewhere();
    let tab = browser.open_tab(SessionView::Restoring);
    browser.advance(secs(16));
    assert_eq!(browser.open(), 0);
    browser.advance(secs(1));
    browser.calm_down();
    assert_eq!(browser.shown(tab), Some("ada".into()));
}

#[test]
fn a_tab_that_no_longer_waits_leaves_both_queues() {
    let mut browser = Browser::with_ada_in(3, Lock::Works, true);
    browser.advance(secs(835));
    browser.advance(secs(2));
    browser.calm_down();
    for _ in 0..3 {
        browser.advance(secs(840));
        browser.calm_down();
        for tab in 0..3 {
            assert_eq!(browser.shown(tab), Some("ada".into()));
        }
    }
    assert!(browser.count(paths::REFRESH) <= 3 * 5);
}

// ------------------------------------------------------------------------------------------------- without a channel

#[test]
fn without_a_channel_a_page_asks_when_it_is_shown_again() {
    let mut browser = Browser::with_ada_in(2, Lock::Works, false);
    browser.sign_in(0, "bob");
    browser.serve();
    browser.wake(1, Wakeup::Shown);
    assert_eq!(
        browser.open_paths(),
        [to(1, paths::SESSION)],
        "a question that rotates nothing"
    );
    browser.serve();
    assert_eq!(browser.shown(1), Some("bob".into()));

    browser.sign_out(0);
    browser.serve();
    browser.wake(1, Wakeup::Shown);
    browser.serve();
    assert!(browser.is_anonymous(1));
}

#[test]
fn with_a_channel_a_page_asks_only_after_a_while() {
    let mut browser = Browser::with_ada_in(1, Lock::Works, true);
    browser.advance(secs(59));
    browser.wake(0, Wakeup::Shown);
    assert_eq!(browser.open(), 0);
    browser.advance(secs(1));
    for _ in 0..2 {
        browser.wake(0, Wakeup::Shown);
        browser.serve();
    }
    assert_eq!(browser.count(paths::SESSION), 1, "and then not again for a while");
    assert_eq!(browser.count(paths::REFRESH), 1);
    browser.on_server(Sessions::revoke_all);
    browser.advance(secs(60));
    browser.wake(0, Wakeup::Shown);
    browser.serve();
    assert!(browser.is_anonymous(0));
}

#[test]
fn a_question_that_gets_no_answer_changes_nothing() {
    let mut browser = Browser::with_ada_in(1, Lock::Works, false);
    browser.wake(0, Wakeup::Shown);
    browser.lose_all();
    assert_eq!(browser.shown(0), Some("ada".into()));
    assert_eq!(browser.count(paths::REFRESH), 1);
}

// ---------------------------------------------------------------------------------------------------------------- time

#[test]
fn eight_hours_of_sleep_cost_each_tab_one_refresh() {
    for (lock, channel) in [(Lock::Works, true), (Lock::Missing, false)] {
        let mut browser = Browser::with_ada_in(5, lock, channel);
        browser.sleep_and_wake(secs(8 * 3600));
        // A laptop that is opened fires all of these events together, and more than once.
        for _ in 0..3 {
            for tab in 0..5 {
                browser.wake(tab, Wakeup::Online);
                browser.wake(tab, Wakeup::Shown);
            }
        }
        browser.calm_down();
        assert_eq!(browser.count(paths::REFRESH), 5 + 5);
        assert_eq!(browser.count(paths::SESSION), 0);
        browser.advance(secs(60));
        assert_eq!(browser.count(paths::REFRESH), 5 + 5, "missed ones are skipped");
    }
}

#[test]
fn a_page_whose_timer_was_held_back_refreshes_when_it_is_shown() {
    let mut browser = Browser::with_ada_in(1, Lock::Works, true);
    browser.sleep_and_wake(secs(0));
    let late = browser.now() + secs(TTL);
    browser.skip_to(late);
    assert_eq!(browser.open(), 0, "the timer sleeps");
    browser.wake(0, Wakeup::Shown);
    assert_eq!(browser.open_paths(), [to(0, paths::REFRESH)]);
}

#[test]
fn being_online_again_ends_the_back_off_within_a_second() {
    let mut browser = Browser::with_ada_in(1, Lock::Works, true);
    browser.advance(secs(840));
    for _ in 0..6 {
        browser.lose_all();
        browser.advance(secs(30));
    }
    browser.lose_all();
    browser.wake(0, Wakeup::Online);
    browser.wake(0, Wakeup::Online);
    browser.advance(secs(1));
    assert_eq!(browser.open_paths(), [to(0, paths::REFRESH)]);
    browser.calm_down();
    assert_eq!(browser.shown(0), Some("ada".into()));
}

// ------------------------------------------------------------------------------------------------ the back/forward cache

#[test]
fn a_page_that_is_kept_shows_nobody_until_it_has_asked() {
    let mut browser = Browser::with_ada_in(2, Lock::Works, true);
    browser.wake(1, Wakeup::Stowed);
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
    browser.calm_down();
    browser.wake(1, Wakeup::Unstowed);
    browser.calm_down();
    assert_eq!(browser.shown(1), Some("ada".into()));

    browser.wake(1, Wakeup::Stowed);
    browser.sign_out(0);
    browser.serve();
    browser.drop_news();
    browser.wake(1, Wakeup::Unstowed);
    assert_eq!(browser.view(1), SessionView::Restoring);
    browser.calm_down();
    assert!(browser.is_anonymous(1));
    let shown_after = browser.views(1).into_iter().rev().take(2).collect::<Vec<_>>();
    assert!(
        !shown_after
            .iter()
            .any(|view| matches!(view, SessionView::SignedIn { .. }))
    );
}

#[test]
fn a_stranger_s_page_that_is_kept_asks_nothing() {
    let mut browser = Browser::new(Lock::Works, true);
    let tab = browser.open_tab(ANONYMOUS);
    for wakeup in [
        Wakeup::Stowed,
        Wakeup::Unstowed,
        Wakeup::Shown,
        Wakeup::Online,
        Wakeup::Marked,
    ] {
        browser.wake(tab, wakeup);
    }
    assert_eq!(browser.view(tab), ANONYMOUS);
    assert_eq!(browser.open(), 0);
}

// -------------------------------------------------------------------------------------------------- any interleaving

/// Small random number generator with a seed, so that a failing run can be repeated by its number.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let high = usize::try_from(self.0 >> 33).expect("31 bits");
        high % sides
    }
}

#[test]
fn whatever_the_order_of_answers_and_news_all_tabs_agree_in_the_end() {
    for run in 0..600 {
        let mut dice = Dice(run);
        let mut browser = Browser::with_ada_in(3, Lock::Works, true);
        let mut asked = vec![];
        for _ in 0..40 {
            let tab = dice.roll(3);
            match dice.roll(12) {
                0 => browser.sign_out(tab),
                1 => drop(browser.sign_in(tab, "bob")),
                2 => drop(browser.sign_in(tab, "ada")),
                3 => browser.wake(
                    tab,
                    [Wakeup::Shown, Wakeup::Online, Wakeup::Unstowed][dice.roll(3)],
                ),
                // No wait for the lock times out here; another test covers that.
                4 if browser.open() == 0 => browser.advance(secs(1)),
                5 => {
                    let name = browser.shown(tab);
                    asked.push((name, browser.send(tab)));
                }
                6 | 7 if browser.news() > 0 => {
                    let index = dice.roll(browser.news());
                    browser.hear(index);
                }
                8 if browser.open() > 0 => {
                    let index = dice.roll(browser.open());
                    browser.lose(index);
                }
                _ if browser.open() > 0 => {
                    let index = dice.roll(browser.open());
                    browser.deliver(index);
                }
                _ => {}
            }
        }
        for _ in 0..10 {
            browser.calm_down();
            browser.advance(secs(30));
        }
        browser.calm_down();
        let truth = browser.jar_leads_to();
        assert!(!browser.marked(), "run {run}: a sign-out was never finished");
        for tab in 0..3 {
            assert_eq!(
                browser.shown(tab),
                truth,
                "run {run}, tab {tab}: {:?}",
                browser.view(tab)
            );
        }
        for (name, task) in asked {
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
fn whatever_the_order_nobody_is_signed_out_by_refreshes_alone() {
    for run in 0..600 {
        let mut dice = Dice(run);
        let lock = [Lock::Works, Lock::Missing, Lock::HeldByTheDead][dice.roll(3)];
        let mut browser = Browser::new(lock, dice.roll(2) == 0);
        browser.sign_ada_in_elsewhere();
        for _ in 0..4 {
            browser.open_tab(SessionView::Restoring);
        }
        for _ in 0..60 {
            let tab = dice.roll(4);
            match dice.roll(8) {
                // Without the lock a response may be so late that its cookie is two rotations old when it arrives. A
                // tab cannot detect that; the server's grace period handles it.
                0 if lock == Lock::Works => {
                    browser.wake(
                        tab,
                        [Wakeup::Shown, Wakeup::Online, Wakeup::Unstowed][dice.roll(3)],
                    );
                }
                1 => {
                    browser.serve();
                    browser.advance(secs([1, 3, 840][dice.roll(3)]));
                }
                2 if browser.open() > 0 => {
                    let index = dice.roll(browser.open());
                    browser.lose(index);
                }
                3 if browser.open() > 0 => {
                    let index = dice.roll(browser.open());
                    browser.arrive(index);
                }
                _ if browser.open() > 0 => {
                    let index = dice.roll(browser.open());
                    browser.deliver(index);
                }
                _ => {}
            }
        }
        for _ in 0..5 {
            browser.calm_down();
            browser.advance(secs(40));
        }
        browser.calm_down();
        for tab in 0..4 {
            assert_eq!(
                browser.shown(tab),
                Some("ada".into()),
                "run {run}, {lock:?}: {:?}",
                browser.view(tab)
            );
        }
    }
}

#[test]
fn whatever_the_order_a_sign_out_is_never_undone() {
    for run in 0..600 {
        let mut dice = Dice(run);
        let lock = [Lock::Works, Lock::Missing, Lock::HeldByTheDead][dice.roll(3)];
        let mut browser = Browser::with_ada_in_slowly(3, lock, dice.roll(2) == 0);
        browser.advance(secs(dice.roll(2) as u64 * 836));
        let mut left = false;
        for step in 0..60 {
            let tab = dice.roll(3);
            match dice.roll(9) {
                0 if step > 10 => {
                    browser.sign_out(tab);
                    left = true;
                }
                1 => browser.wake(
                    tab,
                    [Wakeup::Shown, Wakeup::Online, Wakeup::Unstowed, Wakeup::Marked][dice.roll(4)],
                ),
                2 => browser.advance(secs([1, 3][dice.roll(2)])),
                3 if browser.news() > 0 => {
                    let index = dice.roll(browser.news());
                    browser.hear(index);
                }
                4 if browser.open() > 0 => {
                    let index = dice.roll(browser.open());
                    browser.lose(index);
                }
                5 if browser.open() > 0 => {
                    let index = dice.roll(browser.open());
                    browser.arrive(index);
                }
                _ if browser.open() > 0 => {
                    let index = dice.roll(browser.open());
                    browser.deliver(index);
                }
                _ => {}
            }
        }
        if !left {
            continue;
        }
        for _ in 0..5 {
            browser.calm_down();
            browser.advance(secs(40));
        }
        browser.calm_down();
        for tab in 0..3 {
            browser.wake(tab, Wakeup::Shown);
            browser.calm_down();
        }
        browser.calm_down();
        assert_eq!(
            (browser.alive(), browser.marked()),
            (0, false),
            "run {run}, {lock:?}"
        );
        let reloaded = browser.open_tab(SessionView::Restoring);
        for _ in 0..3 {
            browser.advance(secs(3));
            browser.calm_down();
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
