//! The possible responses to a refresh, and their effect on a page.

use api_types::{paths, problem::RevocationReason};
use session_client::{ApiResponse, SessionView, SignedOutReason};

use crate::support::{
    TTL, TestPage, problem, problem_with_reason, secs, signed_in, signed_in_view, token_response,
    user_response,
};

fn anonymous(reason: impl Into<Option<SignedOutReason>>) -> SessionView {
    SessionView::Anonymous {
        reason: reason.into(),
    }
}

fn definite_refusals() -> Vec<(ApiResponse, SignedOutReason)> {
    use RevocationReason::{
        Deleted, Logout, LogoutAll, PasswordChanged, Replaced, ReuseDetected, RevokedByOperator,
        RevokedByUser, Unknown,
    };
    let mut table = vec![
        (problem(401, "refresh_expired"), SignedOutReason::Expired),
        (problem(401, "refresh_invalid"), SignedOutReason::Invalid),
        (problem(401, "refresh_reused"), SignedOutReason::Reused),
        (problem(401, "account_disabled"), SignedOutReason::AccountDisabled),
        (problem(401, "session_revoked"), SignedOutReason::Revoked(None)),
    ];
    for (name, reason) in [
        ("logout", Logout),
        ("logout_all", LogoutAll),
        ("password_changed", PasswordChanged),
        ("reuse_detected", ReuseDetected),
        ("revoked_by_user", RevokedByUser),
        ("revoked_by_operator", RevokedByOperator),
        ("replaced", Replaced),
        ("deleted", Deleted),
        ("unknown", Unknown),
    ] {
        let answer = problem_with_reason(401, "session_revoked", name);
        table.push((answer, SignedOutReason::Revoked(Some(reason))));
    }
    table
}

#[test]
fn every_definite_refusal_ends_a_restore_with_its_reason() {
    for (answer, reason) in definite_refusals() {
        let mut page = TestPage::new();
        let restore = page.restore();
        page.answer(paths::REFRESH, answer);
        assert_eq!(restore.done(), anonymous(reason));
        page.advance(secs(3600));
        assert_eq!(page.count(paths::REFRESH), 1, "a definite refusal is final");
    }
}

#[test]
fn every_definite_refusal_ends_a_session_with_its_reason() {
    for (answer, reason) in definite_refusals() {
        let mut page = TestPage::restored();
        page.advance(secs(840));
        page.answer(paths::REFRESH, answer);
        assert_eq!(page.session.view(), anonymous(reason));
    }
}

#[test]
fn a_missing_cookie_on_a_first_visit_has_no_reason() {
    let mut page = TestPage::new();
    let restore = page.restore();
    page.answer(paths::REFRESH, problem(401, "refresh_missing"));
    assert_eq!(restore.done(), anonymous(None));
}

#[test]
fn a_missing_cookie_after_sign_in_was_not_kept() {
    let mut page = TestPage::starting_as(anonymous(None));
    drop(page.sign_in());
    page.answer(paths::LOGIN, signed_in("t1", "bob"));
    page.advance(secs(840));
    page.answer(paths::REFRESH, problem(401, "refresh_missing"));
    assert_eq!(page.session.view(), anonymous(SignedOutReason::CookieNotKept));
}

#[test]
fn a_cookie_missing_after_a_refresh_was_removed() {
    let mut page = TestPage::starting_as(anonymous(None));
    drop(page.sign_in());
    page.answer(paths::LOGIN, signed_in("t1", "bob"));
    page.advance(secs(840));
    page.answer(paths::REFRESH, token_response("t2"));
    page.answer(paths::ME, user_response("bob"));
    page.advance(secs(840));
    page.answer(paths::REFRESH, problem(401, "refresh_missing"));
    assert_eq!(page.session.view(), anonymous(None), "another tab signed out");
}

#[test]
fn a_superseded_refresh_is_retried_once_immediately() {
    let mut page = TestPage::restored();
    page.advance(secs(840));
    page.answer(paths::REFRESH, problem(409, "refresh_superseded"));
    assert_eq!(page.open_paths(), [paths::REFRESH]);
    assert_eq!(page.session.view(), signed_in_view("ada", TTL), "no one notices");
    page.answer(paths::REFRESH, token_response("t2"));
    page.answer(paths::ME, user_response("ada"));
    assert_eq!(page.session.view(), signed_in_view("ada", 840 + TTL));
}

#[test]
fn a_refresh_superseded_twice_is_retried_later() {
    let mut page = TestPage::restored();
    page.advance(secs(840));
    page.answer(paths::REFRESH, problem(409, "refresh_superseded"));
    page.answer(paths::REFRESH, problem(409, "refresh_superseded"));
    assert_eq!(page.open_paths(), [""; 0]);
    assert!(matches!(page.session.view(), SessionView::Reconnecting { .. }));
    page.advance(secs(1));
    assert_eq!(page.open_paths(), [paths::REFRESH]);
}

#[test]
fn a_refused_user_request_costs_one_more_refresh() {
    let mut page = TestPage::new();
    let restore = page.restore();
    page.answer(paths::REFRESH, token_response("t1"));
    page.answer(paths::ME, problem(401, "invalid_token"));
    page.answer(paths::REFRESH, token_response("t2"));
    page.answer(paths::ME, user_response("ada"));
    assert_eq!(restore.done(), signed_in_view("ada", TTL));
}

#[test]
fn a_server_that_refuses_its_own_tokens_ends_the_session() {
    let mut page = TestPage::new();
    let restore = page.restore();
    for token in ["t1", "t2"] {
        page.answer(paths::REFRESH, token_response(token));
        page.answer(paths::ME, problem(401, "invalid_token"));
    }
    assert_eq!(restore.done(), anonymous(SignedOutReason::Invalid));
    page.advance(secs(3600));
    assert_eq!(page.count(paths::REFRESH), 2);
}

#[test]
fn a_session_ending_during_a_restore_has_a_reason() {
    let mut page = TestPage::new();
    let restore = page.restore();
    page.answer(paths::REFRESH, token_response("t1"));
    page.answer(paths::ME, problem(401, "invalid_token"));
    page.answer(
        paths::REFRESH,
        problem_with_reason(401, "session_revoked", "password_changed"),
    );
    assert_eq!(
        restore.done(),
        anonymous(SignedOutReason::Revoked(Some(RevocationReason::PasswordChanged)))
    );
}
