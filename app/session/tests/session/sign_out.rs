//! No late response can undo a sign-out.

use api_types::paths;
use session_client::{ApiError, ApiResponse, EndedBecause, Method, SessionView};

use crate::support::{NOTES, World, granted, login, ok, problem, secs, signed_in, user_answer};

const ANONYMOUS: SessionView = SessionView::Anonymous { because: None };
const UNFINISHED: SessionView = SessionView::Anonymous {
    because: Some(EndedBecause::SignOutUnfinished),
};

fn no_content() -> ApiResponse {
    ApiResponse {
        status: 204,
        body: String::new(),
        retry_after: None,
    }
}

#[test]
fn the_token_is_out_of_use_before_the_future_is_polled() {
    let mut world = World::restored();
    let signing_out = world.session.sign_out();
    assert_eq!(world.session.view(), ANONYMOUS);
    assert_eq!(world.send().done().err(), Some(ApiError::SignedOut));
    let task = world.spawn(signing_out);
    assert_eq!(world.open(), [paths::LOGOUT]);
    world.answer(paths::LOGOUT, no_content());
    assert_eq!(task.done(), Ok(()));
    let request = world.log().pop().expect("the last request");
    assert_eq!(request.method, Method::Post);
    assert_eq!(
        request.bearer.as_deref(),
        Some("t1"),
        "cookies may have been cleared"
    );
}

#[test]
fn every_attempt_to_sign_out_says_which_session_and_nothing_else_does() {
    let mut world = World::restored();
    drop(world.sign_out());
    world.lose(paths::LOGOUT);
    assert_eq!(world.session.view(), UNFINISHED);
    world.advance(secs(1));
    world.answer(paths::LOGOUT, no_content());
    let bearers: Vec<_> = world
        .log()
        .into_iter()
        .filter(|request| request.path == paths::LOGOUT)
        .map(|request| request.bearer)
        .collect();
    assert_eq!(bearers, [Some("t1".to_owned()), Some("t1".to_owned())]);
    assert_eq!(world.send().done().err(), Some(ApiError::SignedOut));

    // The next session's sign-out carries the next session's token.
    let signing_in = world.sign_in();
    world.answer(paths::LOGIN, signed_in("t9", "bob"));
    assert!(signing_in.done().is_ok());
    drop(world.sign_out());
    world.answer(paths::LOGOUT, no_content());
    let last = world.log().pop().expect("the last request");
    assert_eq!(last.bearer.as_deref(), Some("t9"));
}

#[test]
fn the_server_is_told_even_if_nobody_waits_for_it() {
    let mut world = World::restored();
    drop(world.session.sign_out());
    world.advance(secs(0));
    world.wake();
    assert_eq!(world.open(), [paths::LOGOUT]);
}

#[test]
fn a_refresh_that_answers_later_is_thrown_away() {
    let mut world = World::restored();
    world.advance(secs(840));
    assert_eq!(world.open(), [paths::REFRESH]);
    let task = world.sign_out();
    assert_eq!(world.open(), [paths::REFRESH], "the queue keeps the order");

    world.answer(paths::REFRESH, granted("t2"));
    assert_eq!(
        world.open(),
        [paths::LOGOUT],
        "no request is sent with a token that is no longer needed"
    );
    assert_eq!(world.session.view(), ANONYMOUS);
    world.answer(paths::LOGOUT, no_content());
    assert_eq!(task.done(), Ok(()));
    world.advance(secs(3600));
    assert_eq!(world.count(paths::REFRESH), 2, "and no timer is left");
    assert_eq!(world.views().last(), Some(&ANONYMOUS));
}

#[test]
fn a_refresh_that_fails_later_neither_reconnects_nor_complains() {
    for answer in [
        problem(401, "refresh_reused"),
        problem(503, "busy"),
        problem(409, "refresh_superseded"),
    ] {
        let mut world = World::restored();
        world.advance(secs(840));
        drop(world.session.sign_out());
        let superseded = answer.status == 409;
        world.answer(paths::REFRESH, answer.clone());
        if superseded {
            world.answer(paths::REFRESH, answer);
        }
        assert_eq!(world.session.view(), ANONYMOUS);
        assert_eq!(world.open(), [paths::LOGOUT]);
    }
}

#[test]
fn requests_under_way_come_back_empty_handed() {
    let mut world = World::restored();
    let sent = world.send();
    world.sleep(secs(900));
    let waiting = world.send();
    drop(world.session.sign_out());
    world.answer(NOTES, ok(r#"["private"]"#));
    assert_eq!(sent.done().err(), Some(ApiError::SignedOut));
    assert_eq!(
        waiting.done().err(),
        Some(ApiError::SignedOut),
        "without waiting for the refresh to end"
    );
}

#[test]
fn a_server_out_of_reach_is_reported_and_changes_nothing_here() {
    let mut world = World::restored();
    let task = world.sign_out();
    world.lose(paths::LOGOUT);
    assert_eq!(task.done(), Err(ApiError::Offline));
    assert_eq!(world.session.view(), UNFINISHED);
    assert_eq!(
        world.restore().done(),
        UNFINISHED,
        "no restore brings it back in this page"
    );
    assert_eq!(world.count(paths::REFRESH), 1);
}

#[test]
fn a_server_that_fails_is_reported_with_its_reason() {
    let mut world = World::restored();
    let task = world.sign_out();
    world.answer(paths::LOGOUT, problem(503, "unavailable"));
    assert!(matches!(task.done(), Err(ApiError::Problem(problem)) if problem.status == 503));
}

#[test]
fn a_sign_out_overtakes_the_sign_in_that_is_under_way() {
    let mut world = World::starting_as(ANONYMOUS);
    let session = world.session.clone();
    let entering = world.spawn(async move { session.sign_in(login()).await });
    let leaving = world.sign_out();
    world.answer(paths::LOGIN, signed_in("t1", "bob"));
    assert_eq!(entering.done(), Err(ApiError::SignedOut));
    assert_eq!(world.session.view(), ANONYMOUS);
    world.answer(paths::LOGOUT, no_content());
    assert_eq!(
        leaving.done(),
        Ok(()),
        "and ends the session that the sign-in began"
    );
}

#[test]
fn a_restore_that_is_under_way_does_not_sign_in_again() {
    let mut world = World::new();
    let restore = world.restore();
    drop(world.session.sign_out());
    world.answer(paths::REFRESH, granted("t1"));
    assert_eq!(restore.done(), ANONYMOUS);
    assert_eq!(world.open(), [paths::LOGOUT]);
}

#[test]
fn a_sign_out_between_the_two_halves_of_a_restore_counts() {
    let mut world = World::new();
    world.restore();
    world.answer(paths::REFRESH, granted("t1"));
    drop(world.session.sign_out());
    world.answer(paths::ME, user_answer("ada"));
    assert_eq!(world.session.view(), ANONYMOUS);
    assert_eq!(world.open(), [paths::LOGOUT]);
}
