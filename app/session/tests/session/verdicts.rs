//! The possible responses to a refresh, and their effect on a page.

use api_types::{paths, problem::EndReason};
use session_client::{ApiResponse, EndedBecause, SessionView};

use crate::support::{
    TTL, World, granted, problem, problem_with_reason, secs, signed_in, user_answer, view_of,
};

fn anonymous(because: impl Into<Option<EndedBecause>>) -> SessionView {
    SessionView::Anonymous {
        because: because.into(),
    }
}

fn definite() -> Vec<(ApiResponse, EndedBecause)> {
    use EndReason::{
        Deleted, Logout, LogoutAll, PasswordChanged, Replaced, ReuseDetected, RevokedByOperator,
        RevokedByUser, Unknown,
    };
    let mut table = vec![
        (problem(401, "refresh_expired"), EndedBecause::Expired),
        (problem(401, "refresh_invalid"), EndedBecause::Invalid),
        (problem(401, "refresh_reused"), EndedBecause::Reused),
        (problem(401, "account_disabled"), EndedBecause::AccountDisabled),
        (problem(401, "session_revoked"), EndedBecause::Revoked(None)),
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
        table.push((answer, EndedBecause::Revoked(Some(reason))));
    }
    table
}

#[test]
fn every_definite_refusal_ends_a_restore_with_its_reason() {
    for (answer, because) in definite() {
        let mut world = World::new();
        let restore = world.restore();
        world.answer(paths::REFRESH, answer);
        assert_eq!(restore.done(), anonymous(because));
        world.advance(secs(3600));
        assert_eq!(world.count(paths::REFRESH), 1, "a definite refusal is final");
    }
}

#[test]
fn every_definite_refusal_ends_a_session_with_its_reason() {
    for (answer, because) in definite() {
        let mut world = World::restored();
        world.advance(secs(840));
        world.answer(paths::REFRESH, answer);
        assert_eq!(world.session.view(), anonymous(because));
    }
}

#[test]
fn a_missing_cookie_is_how_every_first_visit_looks() {
    let mut world = World::new();
    let restore = world.restore();
    world.answer(paths::REFRESH, problem(401, "refresh_missing"));
    assert_eq!(restore.done(), anonymous(None));
}

#[test]
fn a_cookie_that_is_missing_after_a_sign_in_was_not_kept() {
    let mut world = World::starting_as(anonymous(None));
    drop(world.sign_in());
    world.answer(paths::LOGIN, signed_in("t1", "bob"));
    world.advance(secs(840));
    world.answer(paths::REFRESH, problem(401, "refresh_missing"));
    assert_eq!(world.session.view(), anonymous(EndedBecause::CookieNotKept));
}

#[test]
fn a_cookie_that_was_kept_once_and_is_missing_later_was_removed() {
    let mut world = World::starting_as(anonymous(None));
    drop(world.sign_in());
    world.answer(paths::LOGIN, signed_in("t1", "bob"));
    world.advance(secs(840));
    world.answer(paths::REFRESH, granted("t2"));
    world.answer(paths::ME, user_answer("bob"));
    world.advance(secs(840));
    world.answer(paths::REFRESH, problem(401, "refresh_missing"));
    assert_eq!(world.session.view(), anonymous(None), "another tab signed out");
}

#[test]
fn a_superseded_token_is_tried_again_once_and_at_once() {
    let mut world = World::restored();
    world.advance(secs(840));
    world.answer(paths::REFRESH, problem(409, "refresh_superseded"));
    assert_eq!(world.open(), [paths::REFRESH]);
    assert_eq!(world.session.view(), view_of("ada", TTL), "no one notices");
    world.answer(paths::REFRESH, granted("t2"));
    world.answer(paths::ME, user_answer("ada"));
    assert_eq!(world.session.view(), view_of("ada", 840 + TTL));
}

#[test]
fn a_token_that_is_superseded_twice_is_tried_again_later() {
    let mut world = World::restored();
    world.advance(secs(840));
    world.answer(paths::REFRESH, problem(409, "refresh_superseded"));
    world.answer(paths::REFRESH, problem(409, "refresh_superseded"));
    assert_eq!(world.open(), [""; 0]);
    assert!(matches!(world.session.view(), SessionView::Reconnecting { .. }));
    world.advance(secs(1));
    assert_eq!(world.open(), [paths::REFRESH]);
}

#[test]
fn a_refused_question_for_the_user_costs_one_more_refresh() {
    let mut world = World::new();
    let restore = world.restore();
    world.answer(paths::REFRESH, granted("t1"));
    world.answer(paths::ME, problem(401, "invalid_token"));
    world.answer(paths::REFRESH, granted("t2"));
    world.answer(paths::ME, user_answer("ada"));
    assert_eq!(restore.done(), view_of("ada", TTL));
}

#[test]
fn a_server_that_refuses_its_own_tokens_is_believed_in_the_end() {
    let mut world = World::new();
    let restore = world.restore();
    for token in ["t1", "t2"] {
        world.answer(paths::REFRESH, granted(token));
        world.answer(paths::ME, problem(401, "invalid_token"));
    }
    assert_eq!(restore.done(), anonymous(EndedBecause::Invalid));
    world.advance(secs(3600));
    assert_eq!(world.count(paths::REFRESH), 2);
}

#[test]
fn a_session_that_ends_between_the_two_questions_says_why() {
    let mut world = World::new();
    let restore = world.restore();
    world.answer(paths::REFRESH, granted("t1"));
    world.answer(paths::ME, problem(401, "invalid_token"));
    world.answer(
        paths::REFRESH,
        problem_with_reason(401, "session_revoked", "password_changed"),
    );
    assert_eq!(
        restore.done(),
        anonymous(EndedBecause::Revoked(Some(EndReason::PasswordChanged)))
    );
}
