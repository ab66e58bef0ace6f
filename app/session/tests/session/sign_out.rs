//! No late response can undo a sign-out.

use api_types::paths;
use session_client::{ApiError, ApiResponse, Method, SessionView, SignedOutReason};

use crate::support::{NOTES, TestPage, login, ok, problem, secs, signed_in, token_response, user_response};

const ANONYMOUS: SessionView = SessionView::Anonymous { reason: None };
const UNFINISHED: SessionView = SessionView::Anonymous {
    reason: Some(SignedOutReason::SignOutUnfinished),
};

fn no_content() -> ApiResponse {
    ApiResponse {
        status: 204,
        body: String::new(),
        retry_after: None,
    }
}

#[test]
fn sign_out_drops_the_token_before_it_is_polled() {
    let mut page = TestPage::restored();
    let signing_out = page.session.sign_out();
    assert_eq!(page.session.view(), ANONYMOUS);
    assert_eq!(page.send().done().err(), Some(ApiError::SignedOut));
    let task = page.spawn(signing_out);
    assert_eq!(page.open_paths(), [paths::LOGOUT]);
    page.answer(paths::LOGOUT, no_content());
    assert_eq!(task.done(), Ok(()));
    let request = page.log().pop().expect("the last request");
    assert_eq!(request.method, Method::Post);
    assert_eq!(
        request.bearer.as_deref(),
        Some("t1"),
        "cookies may have been cleared"
    );
}

#[test]
fn only_sign_out_requests_carry_the_old_token() {
    let mut page = TestPage::restored();
    drop(page.sign_out());
    page.lose(paths::LOGOUT);
    assert_eq!(page.session.view(), UNFINISHED);
    page.advance(secs(1));
    page.answer(paths::LOGOUT, no_content());
    let bearers: Vec<_> = page
        .log()
        .into_iter()
        .filter(|request| request.path == paths::LOGOUT)
        .map(|request| request.bearer)
        .collect();
    assert_eq!(bearers, [Some("t1".to_owned()), Some("t1".to_owned())]);
    assert_eq!(page.send().done().err(), Some(ApiError::SignedOut));

    // The next session's sign-out carries the next session's token.
    let signing_in = page.sign_in();
    page.answer(paths::LOGIN, signed_in("t9", "bob"));
    assert!(signing_in.done().is_ok());
    drop(page.sign_out());
    page.answer(paths::LOGOUT, no_content());
    let last = page.log().pop().expect("the last request");
    assert_eq!(last.bearer.as_deref(), Some("t9"));
}

#[test]
fn sign_out_is_sent_even_if_its_future_is_dropped() {
    let mut page = TestPage::restored();
    drop(page.session.sign_out());
    page.advance(secs(0));
    page.fire_overdue_timers();
    assert_eq!(page.open_paths(), [paths::LOGOUT]);
}

#[test]
fn a_late_refresh_after_sign_out_is_discarded() {
    let mut page = TestPage::restored();
    page.advance(secs(840));
    assert_eq!(page.open_paths(), [paths::REFRESH]);
    let task = page.sign_out();
    assert_eq!(page.open_paths(), [paths::REFRESH], "the queue keeps the order");

    page.answer(paths::REFRESH, token_response("t2"));
    assert_eq!(
        page.open_paths(),
        [paths::LOGOUT],
        "no request is sent with a token that is no longer needed"
    );
    assert_eq!(page.session.view(), ANONYMOUS);
    page.answer(paths::LOGOUT, no_content());
    assert_eq!(task.done(), Ok(()));
    page.advance(secs(3600));
    assert_eq!(page.count(paths::REFRESH), 2, "and no timer is left");
    assert_eq!(page.views().last(), Some(&ANONYMOUS));
}

#[test]
fn a_late_failure_after_sign_out_is_ignored() {
    for answer in [
        problem(401, "refresh_reused"),
        problem(503, "busy"),
        problem(409, "refresh_superseded"),
    ] {
        let mut page = TestPage::restored();
        page.advance(secs(840));
        drop(page.session.sign_out());
        let superseded = answer.status == 409;
        page.answer(paths::REFRESH, answer.clone());
        if superseded {
            page.answer(paths::REFRESH, answer);
        }
        assert_eq!(page.session.view(), ANONYMOUS);
        assert_eq!(page.open_paths(), [paths::LOGOUT]);
    }
}

#[test]
fn pending_requests_fail_after_sign_out() {
    let mut page = TestPage::restored();
    let sent = page.send();
    page.sleep_without_timers(secs(900));
    let waiting = page.send();
    drop(page.session.sign_out());
    page.answer(NOTES, ok(r#"["private"]"#));
    assert_eq!(sent.done().err(), Some(ApiError::SignedOut));
    assert_eq!(
        waiting.done().err(),
        Some(ApiError::SignedOut),
        "without waiting for the refresh to end"
    );
}

#[test]
fn an_unreachable_server_is_reported_by_sign_out() {
    let mut page = TestPage::restored();
    let task = page.sign_out();
    page.lose(paths::LOGOUT);
    assert_eq!(task.done(), Err(ApiError::Offline));
    assert_eq!(page.session.view(), UNFINISHED);
    assert_eq!(
        page.restore().done(),
        UNFINISHED,
        "no restore brings it back in this page"
    );
    assert_eq!(page.count(paths::REFRESH), 1);
}

#[test]
fn a_failed_sign_out_returns_the_problem() {
    let mut page = TestPage::restored();
    let task = page.sign_out();
    page.answer(paths::LOGOUT, problem(503, "unavailable"));
    assert!(matches!(task.done(), Err(ApiError::Problem(problem)) if problem.status == 503));
}

#[test]
fn a_sign_out_cancels_a_pending_sign_in() {
    let mut page = TestPage::starting_as(ANONYMOUS);
    let session = page.session.clone();
    let entering = page.spawn(async move { session.sign_in(login()).await });
    let sign_out = page.sign_out();
    page.answer(paths::LOGIN, signed_in("t1", "bob"));
    assert_eq!(entering.done(), Err(ApiError::SignedOut));
    assert_eq!(page.session.view(), ANONYMOUS);
    page.answer(paths::LOGOUT, no_content());
    assert_eq!(
        sign_out.done(),
        Ok(()),
        "and ends the session that the sign-in began"
    );
}

#[test]
fn a_pending_restore_does_not_undo_a_sign_out() {
    let mut page = TestPage::new();
    let restore = page.restore();
    drop(page.session.sign_out());
    page.answer(paths::REFRESH, token_response("t1"));
    assert_eq!(restore.done(), ANONYMOUS);
    assert_eq!(page.open_paths(), [paths::LOGOUT]);
}

#[test]
fn a_sign_out_during_a_restore_counts() {
    let mut page = TestPage::new();
    page.restore();
    page.answer(paths::REFRESH, token_response("t1"));
    drop(page.session.sign_out());
    page.answer(paths::ME, user_response("ada"));
    assert_eq!(page.session.view(), ANONYMOUS);
    assert_eq!(page.open_paths(), [paths::LOGOUT]);
}
