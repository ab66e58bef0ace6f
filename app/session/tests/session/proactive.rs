//! Scheduled refreshes before the token expires.

use std::time::Duration;

use api_types::paths;
use session_client::{ApiError, SessionView};

use crate::support::{FixedJitter, NOTES, TTL, World, granted, ok, secs, signed_in, user_answer, view_of};

#[test]
fn a_token_is_renewed_before_its_end_by_the_lifetime_that_the_server_gave() {
    let mut world = World::restored();
    world.advance(Duration::from_millis(839_999));
    assert_eq!(world.open(), [""; 0]);
    world.advance(Duration::from_millis(1));
    assert_eq!(world.open(), [paths::REFRESH]);
    assert_eq!(
        world.session.view(),
        view_of("ada", TTL),
        "still signed in meanwhile"
    );

    let meanwhile = world.send();
    world.answer(NOTES, ok("[]"));
    assert!(meanwhile.done().is_ok(), "with the old token");
    world.answer(paths::REFRESH, granted("t2"));
    world.answer(paths::ME, user_answer("ada"));
    assert_eq!(world.session.view(), view_of("ada", TTL - 60 + TTL));
}

#[test]
fn it_goes_on_for_a_day() {
    let mut world = World::restored();
    for round in 1..=100 {
        world.advance(secs(840));
        world.answer(paths::REFRESH, granted(&format!("t-{round}")));
        world.answer(paths::ME, user_answer("ada"));
    }
    assert_eq!(world.count(paths::REFRESH), 101);
    assert!(
        world
            .views()
            .iter()
            .all(|view| matches!(view, SessionView::SignedIn { .. }))
    );
}

#[test]
fn a_sign_in_is_renewed_too() {
    let mut world = World::starting_as(SessionView::Anonymous { because: None });
    let session = world.session.clone();
    let task = world.spawn(async move { session.sign_in(crate::support::login()).await });
    world.answer(paths::LOGIN, signed_in("t1", "bob"));
    assert!(task.done().is_ok());
    world.advance(secs(840));
    assert_eq!(world.open(), [paths::REFRESH]);
}

#[test]
fn jitter_makes_it_earlier_and_never_later() {
    let mut world = World::with(SessionView::Unknown, FixedJitter(0.999));
    world.restore();
    world.answer(paths::REFRESH, granted("t1"));
    world.answer(paths::ME, user_answer("ada"));
    world.advance(secs(828));
    assert_eq!(world.open(), [""; 0]);
    world.advance(secs(1));
    assert_eq!(world.open(), [paths::REFRESH]);
}

#[test]
fn eight_hours_of_sleep_cost_one_refresh() {
    let mut world = World::restored();
    world.sleep(secs(8 * 3600));
    let tasks: Vec<_> = (0..20).map(|_| world.send()).collect();
    world.wake();
    assert_eq!(world.open(), [paths::REFRESH]);
    world.answer(paths::REFRESH, granted("t2"));
    world.answer(paths::ME, user_answer("ada"));
    for _ in 0..20 {
        world.answer(NOTES, ok("[]"));
    }
    assert!(tasks.into_iter().all(|task| task.done().is_ok()));
    world.advance(secs(839));
    assert_eq!(world.count(paths::REFRESH), 2, "missed ones are skipped");
    world.advance(secs(1));
    assert_eq!(world.count(paths::REFRESH), 3, "and the rhythm goes on");
}

#[test]
fn a_timer_that_cannot_wait_so_long_is_armed_again() {
    let mut world = World::starting_as(SessionView::Unknown);
    world.cap_timer(secs(100));
    world.restore();
    world.answer(paths::REFRESH, granted("t1"));
    world.answer(paths::ME, user_answer("ada"));
    world.advance(secs(839));
    assert_eq!(world.count(paths::REFRESH), 1);
    world.advance(secs(1));
    assert_eq!(world.count(paths::REFRESH), 2);
}

#[test]
fn an_answer_that_was_long_under_way_counts_from_when_it_was_asked_for() {
    let mut world = World::new();
    let restore = world.restore();
    world.sleep(secs(14));
    world.answer(paths::REFRESH, granted("t1"));
    world.answer(paths::ME, user_answer("ada"));
    assert_eq!(restore.done(), view_of("ada", TTL));
    assert_eq!(world.session.now(), secs(14));
}

#[test]
fn a_lifetime_of_nothing_does_not_spin() {
    let mut world = World::new();
    world.restore();
    for _ in 0..10 {
        world.answer(
            paths::REFRESH,
            ok(r#"{"access_token":"t","token_type":"Bearer","expires_in":0}"#),
        );
        world.answer(paths::ME, user_answer("ada"));
        world.advance(secs(1));
    }
    assert_eq!(world.count(paths::REFRESH), 11, "one a second");
}

#[test]
fn a_refresh_that_brings_somebody_elses_token_does_not_mix_the_two() {
    let mut world = World::restored();
    world.sleep(secs(TTL));
    let adas = world.send();
    world.answer(paths::REFRESH, granted("bobs"));
    world.answer(paths::ME, user_answer("bob"));
    assert_eq!(adas.done().err(), Some(ApiError::SignedOut));
    assert_eq!(world.count(NOTES), 0, "ada's request does not go out as bob's");
    assert_eq!(world.session.view(), view_of("bob", TTL + TTL));
}
