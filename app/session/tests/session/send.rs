//! Requests with the access token: one refusal, one replay.

use api_types::{auth::UpdateMeRequest, paths};
use session_client::{ApiError, ApiRequest, Method, SessionView};

use crate::support::{NOTES, World, granted, ok, problem, secs, user, user_answer, view_of};

#[test]
fn a_refused_request_is_replayed_once_with_a_new_token_and_the_same_body() {
    let mut world = World::restored();
    let session = world.session.clone();
    let request = ApiRequest::new(Method::Post, NOTES).with_json(&"milk");
    let task = world.spawn(async move { session.send(request).await });
    world.answer(NOTES, problem(401, "invalid_token"));
    world.answer(paths::REFRESH, granted("t2"));
    world.answer(paths::ME, user_answer("ada"));
    world.answer(NOTES, ok("[]"));
    assert_eq!(task.done().expect("answered").status, 200);

    let sent: Vec<_> = world
        .log()
        .into_iter()
        .filter(|request| request.path == NOTES)
        .collect();
    let bearers: Vec<_> = sent.iter().map(|request| request.bearer.as_deref()).collect();
    assert_eq!(bearers, [Some("t1"), Some("t2")]);
    assert_eq!((sent[0].method, &sent[0].body), (sent[1].method, &sent[1].body));
}

#[test]
fn a_second_refusal_is_returned() {
    let mut world = World::restored();
    let task = world.send();
    world.answer(NOTES, problem(401, "invalid_token"));
    world.answer(paths::REFRESH, granted("t2"));
    world.answer(paths::ME, user_answer("ada"));
    world.answer(NOTES, problem(401, "invalid_token"));
    assert_eq!(task.done().expect("an answer is an answer").status, 401);
    assert_eq!(world.open(), [""; 0]);
    assert_eq!(
        world.session.view(),
        view_of("ada", 900),
        "the token was good enough for /api/me"
    );
}

#[test]
fn a_token_that_was_replaced_meanwhile_is_not_refreshed_again() {
    let mut world = World::restored();
    let slow = world.send_to("/api/slow");
    let quick = world.send();
    world.answer(NOTES, problem(401, "invalid_token"));
    world.answer(paths::REFRESH, granted("t2"));
    world.answer(paths::ME, user_answer("ada"));
    world.answer(NOTES, ok("[]"));
    assert!(quick.done().is_ok());

    world.answer("/api/slow", problem(401, "invalid_token"));
    assert_eq!(world.open(), ["/api/slow"], "replayed immediately");
    assert_eq!(
        world
            .log()
            .last()
            .and_then(|request| request.bearer.clone())
            .as_deref(),
        Some("t2")
    );
    world.answer("/api/slow", ok("[]"));
    assert!(slow.done().is_ok());
    assert_eq!(world.count(paths::REFRESH), 2);
}

#[test]
fn an_endpoint_that_always_refuses_does_not_rotate_the_session_every_second() {
    let mut world = World::restored();
    for second in 0..60 {
        let task = world.send();
        world.answer(NOTES, problem(401, "invalid_token"));
        if world.open() == [paths::REFRESH] {
            world.answer(paths::REFRESH, granted(&format!("t-{second}")));
            world.answer(paths::ME, user_answer("ada"));
            world.answer(NOTES, problem(401, "invalid_token"));
        }
        assert_eq!(task.done().expect("an answer").status, 401);
        world.advance(secs(1));
    }
    let refreshes = world.count(paths::REFRESH) - 1;
    assert!((2..=7).contains(&refreshes), "{refreshes} refreshes in a minute");
}

#[test]
fn a_newer_token_is_tried_even_while_refreshes_are_held_back() {
    let mut world = World::restored();
    let slow = world.send_to("/api/slow");
    let hopeless = world.send();
    world.answer(NOTES, problem(401, "invalid_token"));
    world.answer(paths::REFRESH, granted("t2"));
    world.answer(paths::ME, user_answer("ada"));
    world.answer(NOTES, problem(401, "invalid_token"));
    assert_eq!(hopeless.done().expect("an answer").status, 401);

    world.answer("/api/slow", problem(401, "invalid_token"));
    world.answer("/api/slow", ok("[]"));
    assert_eq!(slow.done().expect("answered").status, 200);
}

#[test]
fn two_expiries_in_quick_succession_are_both_healed() {
    let mut world = World::restored();
    for token in ["t2", "t3"] {
        let task = world.send();
        world.answer(NOTES, problem(401, "invalid_token"));
        world.answer(paths::REFRESH, granted(token));
        world.answer(paths::ME, user_answer("ada"));
        world.answer(NOTES, ok("[]"));
        assert_eq!(task.done().expect("answered").status, 200);
    }
}

#[test]
fn a_wrong_current_password_is_no_reason_to_refresh() {
    let mut world = World::restored();
    let task = world.send();
    world.answer(NOTES, problem(401, "invalid_credentials"));
    assert_eq!(task.done().expect("an answer").status, 401);
    assert_eq!(world.count(paths::REFRESH), 1);
}

#[test]
fn a_request_that_fails_otherwise_is_not_repeated() {
    let mut world = World::restored();
    let failing = world.send();
    world.answer(NOTES, problem(503, "busy"));
    assert_eq!(failing.done().expect("an answer").status, 503);
    let lost = world.send();
    world.lose(NOTES);
    assert_eq!(lost.done().err(), Some(ApiError::Offline));
    assert_eq!(world.count(NOTES), 2);
}

#[test]
fn a_lost_request_marks_the_connection_as_lost_until_the_server_answers() {
    let mut world = World::restored();
    let lost = world.send();
    world.lose(NOTES);
    assert_eq!(lost.done().err(), Some(ApiError::Offline));
    let reconnecting = SessionView::Reconnecting {
        user: Some(user("ada")),
    };
    assert_eq!(world.session.view(), reconnecting);
    // The token is still valid, so requests do not wait for the next attempt. Another lost request changes nothing.
    let again = world.send();
    world.lose(NOTES);
    assert_eq!(again.done().err(), Some(ApiError::Offline));
    assert_eq!(world.session.view(), reconnecting);
    world.advance(secs(1));
    world.answer(paths::REFRESH, granted("t2"));
    world.answer(paths::ME, user_answer("ada"));
    assert!(matches!(world.session.view(), SessionView::SignedIn { .. }));
    assert_eq!(world.count(paths::REFRESH), 2);
}

#[test]
fn a_server_that_answers_with_a_failure_is_not_out_of_reach() {
    for status in [429, 500, 503] {
        let mut world = World::restored();
        let task = world.send();
        world.answer(NOTES, problem(status, "busy"));
        assert_eq!(task.done().expect("an answer").status, status);
        assert_eq!(world.session.view(), view_of("ada", 900));
    }
}

#[test]
fn no_token_leaves_for_another_origin() {
    let mut world = World::restored();
    for path in [
        "https://elsewhere.example/",
        "//elsewhere.example/",
        "/\\elsewhere.example/",
    ] {
        let task = world.send_to(path);
        assert_eq!(task.done().err(), Some(ApiError::Unexpected { status: 0 }));
        assert_eq!(world.count(path), 0);
    }
}

#[test]
fn nobody_signed_in_sends_nothing() {
    let mut world = World::starting_as(SessionView::Anonymous { because: None });
    assert_eq!(world.send().done().err(), Some(ApiError::SignedOut));
    assert_eq!(world.restore().done(), SessionView::Anonymous { because: None });
    assert!(world.log().is_empty());
}

#[test]
fn a_changed_profile_shows_at_once() {
    let mut world = World::restored();
    let session = world.session.clone();
    let request = UpdateMeRequest {
        display_name: Some(Some("Ada L.".into())),
    };
    let task = world.spawn(async move { session.update_me(request).await });
    world.answer(
        paths::ME,
        ok(user_answer("ada").body.replace("null", r#""Ada L.""#)),
    );
    let renamed = api_types::auth::User {
        display_name: Some("Ada L.".into()),
        ..user("ada")
    };
    assert_eq!(task.done(), Ok(renamed.clone()));
    assert_eq!(
        world.session.view(),
        SessionView::SignedIn {
            user: renamed,
            expires_at: secs(900)
        }
    );
}

#[test]
fn typed_calls_say_what_was_refused() {
    let mut world = World::restored();
    let session = world.session.clone();
    let task = world.spawn(async move { session.me().await });
    world.answer(paths::ME, problem(429, "rate_limited"));
    assert!(matches!(task.done(), Err(ApiError::Problem(problem)) if problem.status == 429));
    let session = world.session.clone();
    let task = world.spawn(async move { session.session_info().await });
    world.answer(paths::SESSION, ok("<html>"));
    assert_eq!(task.done(), Err(ApiError::Unexpected { status: 200 }));
}
