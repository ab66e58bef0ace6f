//! Scheduled refreshes before the token expires.

use std::time::Duration;

use api_types::paths;
use session_client::{ApiError, SessionView};

use crate::support::{
    FixedJitter, NOTES, TTL, TestPage, ok, secs, signed_in, signed_in_view, token_response, user_response,
};

#[test]
fn a_token_is_renewed_before_it_expires() {
    let mut page = TestPage::restored();
    page.advance(Duration::from_millis(839_999));
    assert_eq!(page.open_paths(), [""; 0]);
    page.advance(Duration::from_millis(1));
    assert_eq!(page.open_paths(), [paths::REFRESH]);
    assert_eq!(
        page.session.view(),
        signed_in_view("ada", TTL),
        "still signed in meanwhile"
    );

    let meanwhile = page.send();
    page.answer(NOTES, ok("[]"));
    assert!(meanwhile.done().is_ok(), "with the old token");
    page.answer(paths::REFRESH, token_response("t2"));
    page.answer(paths::ME, user_response("ada"));
    assert_eq!(page.session.view(), signed_in_view("ada", TTL - 60 + TTL));
}

#[test]
fn renewals_continue_for_a_day() {
    let mut page = TestPage::restored();
    for round in 1..=100 {
        page.advance(secs(840));
        page.answer(paths::REFRESH, token_response(&format!("t-{round}")));
        page.answer(paths::ME, user_response("ada"));
    }
    assert_eq!(page.count(paths::REFRESH), 101);
    assert!(
        page.views()
            .iter()
            .all(|view| matches!(view, SessionView::SignedIn { .. }))
    );
}

#[test]
fn a_token_from_a_sign_in_is_renewed() {
    let mut page = TestPage::starting_as(SessionView::Anonymous { reason: None });
    let session = page.session.clone();
    let task = page.spawn(async move { session.sign_in(crate::support::login()).await });
    page.answer(paths::LOGIN, signed_in("t1", "bob"));
    assert!(task.done().is_ok());
    page.advance(secs(840));
    assert_eq!(page.open_paths(), [paths::REFRESH]);
}

#[test]
fn jitter_only_makes_a_refresh_earlier() {
    let mut page = TestPage::with(SessionView::Unknown, FixedJitter(0.999));
    page.restore();
    page.answer(paths::REFRESH, token_response("t1"));
    page.answer(paths::ME, user_response("ada"));
    page.advance(secs(828));
    assert_eq!(page.open_paths(), [""; 0]);
    page.advance(secs(1));
    assert_eq!(page.open_paths(), [paths::REFRESH]);
}

#[test]
fn eight_hours_of_sleep_cost_one_refresh() {
    let mut page = TestPage::restored();
    page.sleep_without_timers(secs(8 * 3600));
    let tasks: Vec<_> = (0..20).map(|_| page.send()).collect();
    page.fire_overdue_timers();
    assert_eq!(page.open_paths(), [paths::REFRESH]);
    page.answer(paths::REFRESH, token_response("t2"));
    page.answer(paths::ME, user_response("ada"));
    for _ in 0..20 {
        page.answer(NOTES, ok("[]"));
    }
    assert!(tasks.into_iter().all(|task| task.done().is_ok()));
    page.advance(secs(839));
    assert_eq!(page.count(paths::REFRESH), 2, "missed ones are skipped");
    page.advance(secs(1));
    assert_eq!(page.count(paths::REFRESH), 3, "and the rhythm goes on");
}

#[test]
fn a_timer_with_a_maximum_wait_is_set_again() {
    let mut page = TestPage::starting_as(SessionView::Unknown);
    page.set_max_timer_wait(secs(100));
    page.restore();
    page.answer(paths::REFRESH, token_response("t1"));
    page.answer(paths::ME, user_response("ada"));
    page.advance(secs(839));
    assert_eq!(page.count(paths::REFRESH), 1);
    page.advance(secs(1));
    assert_eq!(page.count(paths::REFRESH), 2);
}

#[test]
fn the_lifetime_counts_from_the_request() {
    let mut page = TestPage::new();
    let restore = page.restore();
    page.sleep_without_timers(secs(14));
    page.answer(paths::REFRESH, token_response("t1"));
    page.answer(paths::ME, user_response("ada"));
    assert_eq!(restore.done(), signed_in_view("ada", TTL));
    assert_eq!(page.session.now(), secs(14));
}

#[test]
fn a_zero_lifetime_does_not_spin() {
    let mut page = TestPage::new();
    page.restore();
    for _ in 0..10 {
        page.answer(
            paths::REFRESH,
            ok(r#"{"access_token":"t","token_type":"Bearer","expires_in":0}"#),
        );
        page.answer(paths::ME, user_response("ada"));
        page.advance(secs(1));
    }
    assert_eq!(page.count(paths::REFRESH), 11, "one a second");
}

#[test]
fn a_refresh_for_another_user_does_not_mix_users() {
    let mut page = TestPage::restored();
    page.sleep_without_timers(secs(TTL));
    let adas = page.send();
    page.answer(paths::REFRESH, token_response("bobs"));
    page.answer(paths::ME, user_response("bob"));
    assert_eq!(adas.done().err(), Some(ApiError::SignedOut));
    assert_eq!(page.count(NOTES), 0, "ada's request does not go out as bob's");
    assert_eq!(page.session.view(), signed_in_view("bob", TTL + TTL));
}
