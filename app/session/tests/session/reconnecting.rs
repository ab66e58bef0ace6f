//! A network failure is not a logout.

use api_types::paths;
use session_client::{ApiError, ApiResponse, EndedBecause, SessionView};

use crate::support::{NOTES, TTL, World, granted, ok, problem, secs, signed_in, user, user_answer, view_of};

fn reconnecting() -> SessionView {
    SessionView::Reconnecting {
        user: Some(user("ada")),
    }
}

/// Ada's page after its token has expired and the refresh got no response.
fn cut_off() -> World {
    let mut world = World::restored();
    world.sleep(secs(TTL));
    world.wake();
    world.lose(paths::REFRESH);
    assert_eq!(world.session.view(), reconnecting());
    world
}

#[test]
fn nothing_indefinite_ends_a_session() {
    let html = |status| ApiResponse {
        status,
        body: "<html>".into(),
        retry_after: None,
    };
    for answer in [
        problem(400, "ambiguous_cookie"),
        problem(401, "from_the_future"),
        html(401),
        problem(403, "cross_site_request"),
        html(404),
        problem(429, "rate_limited"),
        problem(500, "internal_error"),
        problem(503, "busy"),
        problem(503, "unavailable"),
        html(200),
    ] {
        let mut world = World::restored();
        world.advance(secs(840));
        world.answer(paths::REFRESH, answer.clone());
        assert_eq!(world.session.view(), reconnecting(), "{answer:?}");
        world.advance(secs(1));
        world.answer(paths::REFRESH, granted("t2"));
        world.answer(paths::ME, user_answer("ada"));
        assert_eq!(world.session.view(), view_of("ada", 841 + TTL), "{answer:?}");
    }
}

#[test]
fn a_page_that_loads_offline_reconnects_without_knowing_whom() {
    let mut world = World::starting_as(SessionView::Restoring);
    let restore = world.restore();
    world.lose(paths::REFRESH);
    assert_eq!(restore.done(), SessionView::Reconnecting { user: None });
    world.advance(secs(1));
    world.answer(paths::REFRESH, granted("t1"));
    world.answer(paths::ME, user_answer("ada"));
    assert_eq!(world.session.view(), view_of("ada", 1 + TTL));
}

#[test]
fn retries_become_rarer_up_to_half_a_minute() {
    let mut world = cut_off();
    let start = world.now();
    let mut pauses = vec![];
    let mut last = start;
    for _ in 0..7 {
        while world.open().is_empty() {
            world.advance(secs(1));
        }
        pauses.push(world.now().saturating_sub(last).as_secs());
        last = world.now();
        world.lose(paths::REFRESH);
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
    assert_eq!(world.session.view(), reconnecting());
}

#[test]
fn after_a_recovery_the_pace_starts_anew() {
    let mut world = cut_off();
    for pause in [1, 2, 4] {
        world.advance(secs(pause));
        world.lose(paths::REFRESH);
    }
    world.advance(secs(8));
    world.answer(paths::REFRESH, granted("t2"));
    world.answer(paths::ME, user_answer("ada"));
    world.advance(secs(840));
    world.lose(paths::REFRESH);
    world.advance(secs(1));
    assert_eq!(world.open(), [paths::REFRESH]);
}

#[test]
fn retry_after_is_honoured_against_clicks_too() {
    let mut world = World::restored();
    world.sleep(secs(TTL));
    world.wake();
    let mut busy = problem(503, "busy");
    busy.retry_after = Some(secs(20));
    world.answer(paths::REFRESH, busy);
    let click = world.send();
    world.advance(secs(19));
    assert_eq!(world.open(), [""; 0]);
    world.advance(secs(1));
    assert_eq!(world.open(), [paths::REFRESH]);
    assert!(click.is_pending());
}

#[test]
fn a_rate_limited_refresh_waits_as_long_as_it_is_told_and_signs_nobody_out() {
    let limited = || ApiResponse {
        retry_after: Some(secs(7)),
        ..problem(429, "rate_limited")
    };
    // While the page is open, …
    let mut world = World::restored();
    world.advance(secs(840));
    world.answer(paths::REFRESH, limited());
    assert_eq!(world.session.view(), reconnecting());
    world.advance(secs(6));
    assert_eq!(world.open(), [""; 0]);
    world.advance(secs(1));
    world.answer(paths::REFRESH, granted("t2"));
    world.answer(paths::ME, user_answer("ada"));
    assert_eq!(world.session.view(), view_of("ada", 847 + TTL));

    // … and when it loads, however often that is.
    let mut world = World::starting_as(SessionView::Restoring);
    let restore = world.restore();
    world.answer(paths::REFRESH, limited());
    assert_eq!(restore.done(), SessionView::Reconnecting { user: None });
    world.advance(secs(6));
    assert_eq!(world.open(), [""; 0]);
    world.advance(secs(1));
    world.answer(paths::REFRESH, granted("t1"));
    world.answer(paths::ME, user_answer("ada"));
    assert_eq!(world.session.view(), view_of("ada", 7 + TTL));
}

#[test]
fn requests_that_waited_go_on_when_the_server_is_back() {
    let mut world = cut_off();
    let waiting: Vec<_> = (0..5).map(|_| world.send()).collect();
    assert_eq!(world.open(), [""; 0]);
    world.advance(secs(1));
    world.answer(paths::REFRESH, granted("t2"));
    world.answer(paths::ME, user_answer("ada"));
    for _ in 0..5 {
        world.answer(NOTES, ok("[]"));
    }
    assert!(waiting.into_iter().all(|task| task.done().is_ok()));
}

#[test]
fn requests_that_waited_hear_offline_when_the_next_attempt_fails() {
    let mut world = cut_off();
    let waiting = world.send();
    world.advance(secs(1));
    assert!(waiting.is_pending());
    world.lose(paths::REFRESH);
    assert_eq!(waiting.done().err(), Some(ApiError::Offline));
    assert_eq!(world.count(NOTES), 0);
}

#[test]
fn requests_that_waited_hear_that_the_session_has_ended() {
    let mut world = cut_off();
    let waiting = world.send();
    world.advance(secs(1));
    world.answer(paths::REFRESH, problem(401, "refresh_expired"));
    assert_eq!(waiting.done().err(), Some(ApiError::SignedOut));
}

#[test]
fn a_token_that_is_still_good_goes_on_being_used() {
    let mut world = World::restored();
    world.advance(secs(840));
    world.answer(paths::REFRESH, problem(503, "busy"));
    assert_eq!(world.session.view(), reconnecting());
    let task = world.send();
    world.answer(NOTES, ok("[]"));
    assert!(task.done().is_ok());
    assert_eq!(
        world
            .log()
            .last()
            .and_then(|request| request.bearer.clone())
            .as_deref(),
        Some("t1")
    );
}

#[test]
fn a_token_that_was_refused_is_not_used_again() {
    let mut world = World::restored();
    let refused = world.send();
    world.answer(NOTES, problem(401, "invalid_token"));
    world.lose(paths::REFRESH);
    assert_eq!(refused.done().err(), Some(ApiError::Offline));
    let next = world.send();
    assert!(next.is_pending());
    assert_eq!(world.open(), [""; 0]);
}

#[test]
fn a_token_whose_owner_cannot_be_asked_is_not_used() {
    for failure in [Some(problem(503, "busy")), Some(ok("<html>")), None] {
        let mut world = World::new();
        let restore = world.restore();
        world.answer(paths::REFRESH, granted("t1"));
        match failure {
            Some(answer) => world.answer(paths::ME, answer),
            None => world.lose(paths::ME),
        }
        assert_eq!(restore.done(), SessionView::Reconnecting { user: None });
        world.advance(secs(1));
        world.answer(paths::REFRESH, granted("t2"));
        world.answer(paths::ME, user_answer("ada"));
        assert_eq!(world.session.view(), view_of("ada", 1 + TTL));
    }
}

#[test]
fn signing_in_ends_the_reconnecting() {
    let mut world = cut_off();
    let waiting = world.send();
    let entering = world.sign_in();
    world.answer(paths::LOGIN, signed_in("t2", "bob"));
    assert!(entering.done().is_ok());
    assert_eq!(waiting.done().err(), Some(ApiError::SignedOut));
    world.advance(secs(30));
    assert_eq!(world.open(), [""; 0], "no retry of the former session is left");
}

#[test]
fn signing_out_ends_the_reconnecting() {
    let mut world = cut_off();
    drop(world.sign_out());
    world.lose(paths::LOGOUT);
    world.advance(secs(3600));
    let unfinished = SessionView::Anonymous {
        because: Some(EndedBecause::SignOutUnfinished),
    };
    assert_eq!(world.session.view(), unfinished);
    assert_eq!(
        world.open(),
        [paths::LOGOUT],
        "the sign-out is tried again, and nothing else"
    );
}
