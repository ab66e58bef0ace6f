//! Every request that can change the cookie goes through one queue.

use api_types::{auth::RegisterRequest, paths};
use session_client::{ApiError, SessionView, SignedOutReason};

use crate::support::{
    NOTES, TestPage, login, problem, secs, signed_in, signed_in_view, token_response, user, user_response,
};

#[test]
fn a_sign_in_waits_for_the_refresh_before_it() {
    let mut page = TestPage::restored();
    page.advance(secs(840));
    let entering = page.sign_in();
    assert_eq!(
        page.open_paths(),
        [paths::REFRESH],
        "so the cookie of the sign-in is the last one to arrive"
    );
    page.answer(paths::REFRESH, token_response("t2"));
    page.answer(paths::ME, user_response("ada"));
    assert_eq!(page.open_paths(), [paths::LOGIN]);
    page.answer(paths::LOGIN, signed_in("t3", "bob"));
    assert_eq!(entering.done(), Ok(user("bob")));
    assert_eq!(page.session.view(), signed_in_view("bob", 840 + 900));
}

#[test]
fn a_late_refusal_does_not_end_a_newer_sign_in() {
    let mut page = TestPage::restored();
    page.advance(secs(840));
    let entering = page.sign_in();
    page.answer(paths::REFRESH, problem(401, "session_revoked"));
    assert_eq!(
        page.session.view(),
        SessionView::Anonymous {
            reason: Some(SignedOutReason::Revoked(None))
        }
    );
    page.answer(paths::LOGIN, signed_in("t3", "bob"));
    assert!(entering.done().is_ok());
    assert_eq!(page.session.view(), signed_in_view("bob", 840 + 900));
}

#[test]
fn a_refresh_queued_behind_a_sign_in_is_dropped() {
    let mut page = TestPage::restored();
    let entering = page.sign_in();
    page.sleep_without_timers(secs(900));
    let adas = page.send();
    assert_eq!(page.open_paths(), [paths::LOGIN]);
    page.answer(paths::LOGIN, signed_in("t2", "bob"));
    assert!(entering.done().is_ok());
    assert_eq!(
        adas.done().err(),
        Some(ApiError::SignedOut),
        "ada's request is not sent as bob"
    );
    assert_eq!(page.open_paths(), [""; 0]);
    assert_eq!(page.count(paths::REFRESH), 1);
}

#[test]
fn a_refresh_queued_behind_a_refused_sign_in_is_sent() {
    let mut page = TestPage::restored();
    let entering = page.sign_in();
    page.sleep_without_timers(secs(900));
    let adas = page.send();
    page.answer(paths::LOGIN, problem(401, "invalid_credentials"));
    assert!(matches!(entering.done(), Err(ApiError::Problem(_))));
    assert_eq!(page.open_paths(), [paths::REFRESH], "ada's session is as it was");
    page.answer(paths::REFRESH, token_response("t2"));
    page.answer(paths::ME, user_response("ada"));
    assert_eq!(page.open_paths(), [NOTES]);
    assert!(adas.is_pending());
}

#[test]
fn a_refused_request_is_not_replayed_as_another_user() {
    let mut page = TestPage::restored();
    let adas = page.send();
    let entering = page.sign_in();
    page.answer(paths::LOGIN, signed_in("t2", "bob"));
    assert!(entering.done().is_ok());
    page.answer(NOTES, problem(401, "invalid_token"));
    assert_eq!(adas.done().err(), Some(ApiError::SignedOut));
    assert_eq!(page.count(NOTES), 1);
}

#[test]
fn signing_out_and_in_again_happens_in_that_order() {
    let mut page = TestPage::restored();
    let sign_out = page.sign_out();
    let entering = page.sign_in();
    assert_eq!(page.open_paths(), [paths::LOGOUT]);
    page.lose(paths::LOGOUT);
    assert_eq!(sign_out.done(), Err(ApiError::Offline));
    assert_eq!(page.open_paths(), [paths::LOGIN]);
    page.answer(paths::LOGIN, signed_in("t2", "bob"));
    assert!(entering.done().is_ok());
    assert_eq!(page.session.view(), signed_in_view("bob", 900));
}

#[test]
fn a_refused_sign_in_keeps_the_view_and_its_reason() {
    let expired = SessionView::Anonymous {
        reason: Some(SignedOutReason::Expired),
    };
    let mut page = TestPage::starting_as(expired.clone());
    let refused = page.sign_in();
    page.answer(paths::LOGIN, problem(401, "invalid_credentials"));
    assert!(matches!(refused.done(), Err(ApiError::Problem(_))));
    let lost = page.sign_in();
    page.lose(paths::LOGIN);
    assert_eq!(lost.done(), Err(ApiError::Offline));
    let nonsense = page.sign_in();
    page.answer(paths::LOGIN, token_response("a-token-without-a-user"));
    assert_eq!(nonsense.done(), Err(ApiError::Unexpected { status: 200 }));
    assert_eq!(page.session.view(), expired);
    assert_eq!(page.views(), []);
}

#[test]
fn a_registration_signs_in() {
    let mut page = TestPage::starting_as(SessionView::Anonymous { reason: None });
    let session = page.session.clone();
    let request = RegisterRequest {
        email: "bob@example.com".into(),
        password: login().password,
        display_name: None,
    };
    let task = page.spawn(async move { session.register(request).await });
    let mut created = signed_in("t1", "bob");
    created.status = 201;
    page.answer(paths::REGISTER, created);
    assert_eq!(task.done(), Ok(user("bob")));
    assert_eq!(page.session.view(), signed_in_view("bob", 900));
}

#[test]
fn a_sign_in_counts_after_its_future_was_dropped() {
    let mut page = TestPage::starting_as(SessionView::Anonymous { reason: None });
    {
        let session = page.session.clone();
        // Polled once and dropped, like the future of a component that is removed.
        let mut future = Box::pin(async move { session.sign_in(login()).await });
        let waker = futures::task::noop_waker();
        assert!(
            future
                .as_mut()
                .poll(&mut std::task::Context::from_waker(&waker))
                .is_pending()
        );
    }
    page.fire_overdue_timers();
    page.answer(paths::LOGIN, signed_in("t1", "bob"));
    assert_eq!(page.session.view(), signed_in_view("bob", 900));
}
