//! A network failure is not a logout.

use api_types::paths;
use session_client::{ApiError, ApiResponse, SessionView, SignedOutReason};

use crate::support::{
    NOTES, TTL, TestPage, ok, problem, secs, signed_in, signed_in_view, token_response, user, user_response,
};

fn reconnecting() -> SessionView {
    SessionView::Reconnecting {
        user: Some(user("ada")),
    }
}

/// Ada's page after its token has expired and the refresh got no response.
fn reconnecting_page() -> TestPage {
    let mut page = TestPage::restored();
    page.sleep_without_timers(secs(TTL));
    page.fire_overdue_timers();
    page.lose(paths::REFRESH);
    assert_eq!(page.session.view(), reconnecting());
    page
}

#[test]
fn only_definite_refusals_end_a_session() {
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
        let mut page = TestPage::restored();
        page.advance(secs(840));
        page.answer(paths::REFRESH, answer.clone());
        assert_eq!(page.session.view(), reconnecting(), "{answer:?}");
        page.advance(secs(1));
        page.answer(paths::REFRESH, token_response("t2"));
        page.answer(paths::ME, user_response("ada"));
        assert_eq!(
            page.session.view(),
            signed_in_view("ada", 841 + TTL),
            "{answer:?}"
        );
    }
}

#[test]
fn a_page_loaded_offline_reconnects_without_a_user() {
    let mut page = TestPage::starting_as(SessionView::Restoring);
    let restore = page.restore();
    page.lose(paths::REFRESH);
    assert_eq!(restore.done(), SessionView::Reconnecting { user: None });
    page.advance(secs(1));
    page.answer(paths::REFRESH, token_response("t1"));
    page.answer(paths::ME, user_response("ada"));
    assert_eq!(page.session.view(), signed_in_view("ada", 1 + TTL));
}

#[test]
fn retries_back_off_to_thirty_seconds() {
    let mut page = reconnecting_page();
    let start = page.now();
    let mut pauses = vec![];
    let mut last = start;
    for _ in 0..7 {
        while page.open_paths().is_empty() {
            page.advance(secs(1));
        }
        pauses.push(page.now().saturating_sub(last).as_secs());
        last = page.now();
        page.lose(paths::REFRESH);
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
    assert_eq!(page.session.view(), reconnecting());
}

#[test]
fn a_recovery_resets_the_back_off() {
    let mut page = reconnecting_page();
    for pause in [1, 2, 4] {
        page.advance(secs(pause));
        page.lose(paths::REFRESH);
    }
    page.advance(secs(8));
    page.answer(paths::REFRESH, token_response("t2"));
    page.answer(paths::ME, user_response("ada"));
    page.advance(secs(840));
    page.lose(paths::REFRESH);
    page.advance(secs(1));
    assert_eq!(page.open_paths(), [paths::REFRESH]);
}

#[test]
fn requests_do_not_bypass_retry_after() {
    let mut page = TestPage::restored();
    page.sleep_without_timers(secs(TTL));
    page.fire_overdue_timers();
    let mut busy = problem(503, "busy");
    busy.retry_after = Some(secs(20));
    page.answer(paths::REFRESH, busy);
    let click = page.send();
    page.advance(secs(19));
    assert_eq!(page.open_paths(), [""; 0]);
    page.advance(secs(1));
    assert_eq!(page.open_paths(), [paths::REFRESH]);
    assert!(click.is_pending());
}

#[test]
fn a_rate_limited_refresh_waits_and_stays_signed_in() {
    let limited = || ApiResponse {
        retry_after: Some(secs(7)),
        ..problem(429, "rate_limited")
    };
    // While the page is open, …
    let mut page = TestPage::restored();
    page.advance(secs(840));
    page.answer(paths::REFRESH, limited());
    assert_eq!(page.session.view(), reconnecting());
    page.advance(secs(6));
    assert_eq!(page.open_paths(), [""; 0]);
    page.advance(secs(1));
    page.answer(paths::REFRESH, token_response("t2"));
    page.answer(paths::ME, user_response("ada"));
    assert_eq!(page.session.view(), signed_in_view("ada", 847 + TTL));

    // … and when it loads, however often that is.
    let mut page = TestPage::starting_as(SessionView::Restoring);
    let restore = page.restore();
    page.answer(paths::REFRESH, limited());
    assert_eq!(restore.done(), SessionView::Reconnecting { user: None });
    page.advance(secs(6));
    assert_eq!(page.open_paths(), [""; 0]);
    page.advance(secs(1));
    page.answer(paths::REFRESH, token_response("t1"));
    page.answer(paths::ME, user_response("ada"));
    assert_eq!(page.session.view(), signed_in_view("ada", 7 + TTL));
}

#[test]
fn waiting_requests_continue_after_a_recovery() {
    let mut page = reconnecting_page();
    let waiting: Vec<_> = (0..5).map(|_| page.send()).collect();
    assert_eq!(page.open_paths(), [""; 0]);
    page.advance(secs(1));
    page.answer(paths::REFRESH, token_response("t2"));
    page.answer(paths::ME, user_response("ada"));
    for _ in 0..5 {
        page.answer(NOTES, ok("[]"));
    }
    assert!(waiting.into_iter().all(|task| task.done().is_ok()));
}

#[test]
fn waiting_requests_fail_if_the_next_attempt_fails() {
    let mut page = reconnecting_page();
    let waiting = page.send();
    page.advance(secs(1));
    assert!(waiting.is_pending());
    page.lose(paths::REFRESH);
    assert_eq!(waiting.done().err(), Some(ApiError::Offline));
    assert_eq!(page.count(NOTES), 0);
}

#[test]
fn waiting_requests_fail_if_the_session_has_ended() {
    let mut page = reconnecting_page();
    let waiting = page.send();
    page.advance(secs(1));
    page.answer(paths::REFRESH, problem(401, "refresh_expired"));
    assert_eq!(waiting.done().err(), Some(ApiError::SignedOut));
}

#[test]
fn a_valid_token_stays_in_use_while_reconnecting() {
    let mut page = TestPage::restored();
    page.advance(secs(840));
    page.answer(paths::REFRESH, problem(503, "busy"));
    assert_eq!(page.session.view(), reconnecting());
    let task = page.send();
    page.answer(NOTES, ok("[]"));
    assert!(task.done().is_ok());
    assert_eq!(
        page.log()
            .last()
            .and_then(|request| request.bearer.clone())
            .as_deref(),
        Some("t1")
    );
}

#[test]
fn a_token_that_was_refused_is_not_used_again() {
    let mut page = TestPage::restored();
    let refused = page.send();
    page.answer(NOTES, problem(401, "invalid_token"));
    page.lose(paths::REFRESH);
    assert_eq!(refused.done().err(), Some(ApiError::Offline));
    let next = page.send();
    assert!(next.is_pending());
    assert_eq!(page.open_paths(), [""; 0]);
}

#[test]
fn a_token_without_a_confirmed_user_is_not_used() {
    for failure in [Some(problem(503, "busy")), Some(ok("<html>")), None] {
        let mut page = TestPage::new();
        let restore = page.restore();
        page.answer(paths::REFRESH, token_response("t1"));
        match failure {
            Some(answer) => page.answer(paths::ME, answer),
            None => page.lose(paths::ME),
        }
        assert_eq!(restore.done(), SessionView::Reconnecting { user: None });
        page.advance(secs(1));
        page.answer(paths::REFRESH, token_response("t2"));
        page.answer(paths::ME, user_response("ada"));
        assert_eq!(page.session.view(), signed_in_view("ada", 1 + TTL));
    }
}

#[test]
fn signing_in_ends_the_reconnecting() {
    let mut page = reconnecting_page();
    let waiting = page.send();
    let entering = page.sign_in();
    page.answer(paths::LOGIN, signed_in("t2", "bob"));
    assert!(entering.done().is_ok());
    assert_eq!(waiting.done().err(), Some(ApiError::SignedOut));
    page.advance(secs(30));
    assert_eq!(
        page.open_paths(),
        [""; 0],
        "no retry of the former session is left"
    );
}

#[test]
fn signing_out_ends_the_reconnecting() {
    let mut page = reconnecting_page();
    drop(page.sign_out());
    page.lose(paths::LOGOUT);
    page.advance(secs(3600));
    let unfinished = SessionView::Anonymous {
        reason: Some(SignedOutReason::SignOutUnfinished),
    };
    assert_eq!(page.session.view(), unfinished);
    assert_eq!(
        page.open_paths(),
        [paths::LOGOUT],
        "the sign-out is tried again, and nothing else"
    );
}
