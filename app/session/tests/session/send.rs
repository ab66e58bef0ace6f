//! Requests with the access token: one refusal, one replay.

use api_types::{auth::UpdateMeRequest, paths};
use session_client::{ApiError, ApiRequest, Method, SessionView};

use crate::support::{
    NOTES, TestPage, ok, problem, secs, signed_in_view, token_response, user, user_response,
};

#[test]
fn a_refused_request_is_replayed_once_with_a_new_token() {
    let mut page = TestPage::restored();
    let session = page.session.clone();
    let request = ApiRequest::new(Method::Post, NOTES).with_json(&"milk");
    let task = page.spawn(async move { session.send(request).await });
    page.answer(NOTES, problem(401, "invalid_token"));
    page.answer(paths::REFRESH, token_response("t2"));
    page.answer(paths::ME, user_response("ada"));
    page.answer(NOTES, ok("[]"));
    assert_eq!(task.done().expect("answered").status, 200);

    let sent: Vec<_> = page
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
    let mut page = TestPage::restored();
    let task = page.send();
    page.answer(NOTES, problem(401, "invalid_token"));
    page.answer(paths::REFRESH, token_response("t2"));
    page.answer(paths::ME, user_response("ada"));
    page.answer(NOTES, problem(401, "invalid_token"));
    assert_eq!(task.done().expect("an answer is an answer").status, 401);
    assert_eq!(page.open_paths(), [""; 0]);
    assert_eq!(
        page.session.view(),
        signed_in_view("ada", 900),
        "the token was good enough for /api/me"
    );
}

#[test]
fn an_already_replaced_token_causes_no_refresh() {
    let mut page = TestPage::restored();
    let slow = page.send_to("/api/slow");
    let quick = page.send();
    page.answer(NOTES, problem(401, "invalid_token"));
    page.answer(paths::REFRESH, token_response("t2"));
    page.answer(paths::ME, user_response("ada"));
    page.answer(NOTES, ok("[]"));
    assert!(quick.done().is_ok());

    page.answer("/api/slow", problem(401, "invalid_token"));
    assert_eq!(page.open_paths(), ["/api/slow"], "replayed immediately");
    assert_eq!(
        page.log()
            .last()
            .and_then(|request| request.bearer.clone())
            .as_deref(),
        Some("t2")
    );
    page.answer("/api/slow", ok("[]"));
    assert!(slow.done().is_ok());
    assert_eq!(page.count(paths::REFRESH), 2);
}

#[test]
fn an_always_refusing_endpoint_does_not_rotate_endlessly() {
    let mut page = TestPage::restored();
    for second in 0..60 {
        let task = page.send();
        page.answer(NOTES, problem(401, "invalid_token"));
        if page.open_paths() == [paths::REFRESH] {
            page.answer(paths::REFRESH, token_response(&format!("t-{second}")));
            page.answer(paths::ME, user_response("ada"));
            page.answer(NOTES, problem(401, "invalid_token"));
        }
        assert_eq!(task.done().expect("an answer").status, 401);
        page.advance(secs(1));
    }
    let refreshes = page.count(paths::REFRESH) - 1;
    assert!((2..=7).contains(&refreshes), "{refreshes} refreshes in a minute");
}

#[test]
fn a_newer_token_is_tried_while_the_breaker_is_open() {
    let mut page = TestPage::restored();
    let slow = page.send_to("/api/slow");
    let hopeless = page.send();
    page.answer(NOTES, problem(401, "invalid_token"));
    page.answer(paths::REFRESH, token_response("t2"));
    page.answer(paths::ME, user_response("ada"));
    page.answer(NOTES, problem(401, "invalid_token"));
    assert_eq!(hopeless.done().expect("an answer").status, 401);

    page.answer("/api/slow", problem(401, "invalid_token"));
    page.answer("/api/slow", ok("[]"));
    assert_eq!(slow.done().expect("answered").status, 200);
}

#[test]
fn two_expiries_in_a_row_both_recover() {
    let mut page = TestPage::restored();
    for token in ["t2", "t3"] {
        let task = page.send();
        page.answer(NOTES, problem(401, "invalid_token"));
        page.answer(paths::REFRESH, token_response(token));
        page.answer(paths::ME, user_response("ada"));
        page.answer(NOTES, ok("[]"));
        assert_eq!(task.done().expect("answered").status, 200);
    }
}

#[test]
fn a_wrong_current_password_causes_no_refresh() {
    let mut page = TestPage::restored();
    let task = page.send();
    page.answer(NOTES, problem(401, "invalid_credentials"));
    assert_eq!(task.done().expect("an answer").status, 401);
    assert_eq!(page.count(paths::REFRESH), 1);
}

#[test]
fn a_request_that_fails_otherwise_is_not_repeated() {
    let mut page = TestPage::restored();
    let failing = page.send();
    page.answer(NOTES, problem(503, "busy"));
    assert_eq!(failing.done().expect("an answer").status, 503);
    let lost = page.send();
    page.lose(NOTES);
    assert_eq!(lost.done().err(), Some(ApiError::Offline));
    assert_eq!(page.count(NOTES), 2);
}

#[test]
fn a_lost_request_shows_reconnecting_until_a_response() {
    let mut page = TestPage::restored();
    let lost = page.send();
    page.lose(NOTES);
    assert_eq!(lost.done().err(), Some(ApiError::Offline));
    let reconnecting = SessionView::Reconnecting {
        user: Some(user("ada")),
    };
    assert_eq!(page.session.view(), reconnecting);
    // The token is still valid, so requests do not wait for the next attempt. Another lost request changes nothing.
    let again = page.send();
    page.lose(NOTES);
    assert_eq!(again.done().err(), Some(ApiError::Offline));
    assert_eq!(page.session.view(), reconnecting);
    page.advance(secs(1));
    page.answer(paths::REFRESH, token_response("t2"));
    page.answer(paths::ME, user_response("ada"));
    assert!(matches!(page.session.view(), SessionView::SignedIn { .. }));
    assert_eq!(page.count(paths::REFRESH), 2);
}

#[test]
fn a_failure_response_is_not_unreachable() {
    for status in [429, 500, 503] {
        let mut page = TestPage::restored();
        let task = page.send();
        page.answer(NOTES, problem(status, "busy"));
        assert_eq!(task.done().expect("an answer").status, status);
        assert_eq!(page.session.view(), signed_in_view("ada", 900));
    }
}

#[test]
fn no_token_is_sent_to_another_origin() {
    let mut page = TestPage::restored();
    for path in [
        "https://elsewhere.example/",
        "//elsewhere.example/",
        "/\\elsewhere.example/",
    ] {
        let task = page.send_to(path);
        assert_eq!(task.done().err(), Some(ApiError::Unexpected { status: 0 }));
        assert_eq!(page.count(path), 0);
    }
}

#[test]
fn without_a_session_nothing_is_sent() {
    let mut page = TestPage::starting_as(SessionView::Anonymous { reason: None });
    assert_eq!(page.send().done().err(), Some(ApiError::SignedOut));
    assert_eq!(page.restore().done(), SessionView::Anonymous { reason: None });
    assert!(page.log().is_empty());
}

#[test]
fn a_changed_profile_updates_the_view() {
    let mut page = TestPage::restored();
    let session = page.session.clone();
    let request = UpdateMeRequest {
        display_name: Some(Some("Ada L.".into())),
    };
    let task = page.spawn(async move { session.update_me(request).await });
    page.answer(
        paths::ME,
        ok(user_response("ada").body.replace("null", r#""Ada L.""#)),
    );
    let renamed = api_types::auth::User {
        display_name: Some("Ada L.".into()),
        ..user("ada")
    };
    assert_eq!(task.done(), Ok(renamed.clone()));
    assert_eq!(
        page.session.view(),
        SessionView::SignedIn {
            user: renamed,
            expires_at: secs(900)
        }
    );
}

#[test]
fn typed_calls_return_the_problem() {
    let mut page = TestPage::restored();
    let session = page.session.clone();
    let task = page.spawn(async move { session.me().await });
    page.answer(paths::ME, problem(429, "rate_limited"));
    assert!(matches!(task.done(), Err(ApiError::Problem(problem)) if problem.status == 429));
    let session = page.session.clone();
    let task = page.spawn(async move { session.session_info().await });
    page.answer(paths::SESSION, ok("<html>"));
    assert_eq!(task.done(), Err(ApiError::Unexpected { status: 200 }));
}
