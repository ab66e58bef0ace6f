//! Every request that can change the cookie goes through one queue.

use api_types::{auth::RegisterRequest, paths};
use session_client::{ApiError, EndedBecause, SessionView};

use crate::support::{NOTES, World, granted, login, problem, secs, signed_in, user, user_answer, view_of};

#[test]
fn a_sign_in_is_sent_after_the_refresh_before_it_has_answered() {
    let mut world = World::restored();
    world.advance(secs(840));
    let entering = world.sign_in();
    assert_eq!(
        world.open(),
        [paths::REFRESH],
        "so the cookie of the sign-in is the last one to arrive"
    );
    world.answer(paths::REFRESH, granted("t2"));
    world.answer(paths::ME, user_answer("ada"));
    assert_eq!(world.open(), [paths::LOGIN]);
    world.answer(paths::LOGIN, signed_in("t3", "bob"));
    assert_eq!(entering.done(), Ok(user("bob")));
    assert_eq!(world.session.view(), view_of("bob", 840 + 900));
}

#[test]
fn a_late_refusal_of_a_refresh_does_not_end_the_newer_sign_in() {
    let mut world = World::restored();
    world.advance(secs(840));
    let entering = world.sign_in();
    world.answer(paths::REFRESH, problem(401, "session_revoked"));
    assert_eq!(
        world.session.view(),
        SessionView::Anonymous {
            because: Some(EndedBecause::Revoked(None))
        }
    );
    world.answer(paths::LOGIN, signed_in("t3", "bob"));
    assert!(entering.done().is_ok());
    assert_eq!(world.session.view(), view_of("bob", 840 + 900));
}

#[test]
fn a_refresh_that_stands_behind_a_sign_in_is_not_sent_any_more() {
    let mut world = World::restored();
    let entering = world.sign_in();
    world.sleep(secs(900));
    let adas = world.send();
    assert_eq!(world.open(), [paths::LOGIN]);
    world.answer(paths::LOGIN, signed_in("t2", "bob"));
    assert!(entering.done().is_ok());
    assert_eq!(
        adas.done().err(),
        Some(ApiError::SignedOut),
        "ada's request is not sent as bob"
    );
    assert_eq!(world.open(), [""; 0]);
    assert_eq!(world.count(paths::REFRESH), 1);
}

#[test]
fn a_refresh_that_stands_behind_a_refused_sign_in_is_sent() {
    let mut world = World::restored();
    let entering = world.sign_in();
    world.sleep(secs(900));
    let adas = world.send();
    world.answer(paths::LOGIN, problem(401, "invalid_credentials"));
    assert!(matches!(entering.done(), Err(ApiError::Problem(_))));
    assert_eq!(world.open(), [paths::REFRESH], "ada's session is as it was");
    world.answer(paths::REFRESH, granted("t2"));
    world.answer(paths::ME, user_answer("ada"));
    assert_eq!(world.open(), [NOTES]);
    assert!(adas.is_pending());
}

#[test]
fn a_refused_request_of_the_former_user_is_not_replayed_as_the_next() {
    let mut world = World::restored();
    let adas = world.send();
    let entering = world.sign_in();
    world.answer(paths::LOGIN, signed_in("t2", "bob"));
    assert!(entering.done().is_ok());
    world.answer(NOTES, problem(401, "invalid_token"));
    assert_eq!(adas.done().err(), Some(ApiError::SignedOut));
    assert_eq!(world.count(NOTES), 1);
}

#[test]
fn signing_out_and_in_again_happens_in_that_order() {
    let mut world = World::restored();
    let leaving = world.sign_out();
    let entering = world.sign_in();
    assert_eq!(world.open(), [paths::LOGOUT]);
    world.lose(paths::LOGOUT);
    assert_eq!(leaving.done(), Err(ApiError::Offline));
    assert_eq!(world.open(), [paths::LOGIN]);
    world.answer(paths::LOGIN, signed_in("t2", "bob"));
    assert!(entering.done().is_ok());
    assert_eq!(world.session.view(), view_of("bob", 900));
}

#[test]
fn a_refused_sign_in_leaves_the_view_and_the_reason_alone() {
    let expired = SessionView::Anonymous {
        because: Some(EndedBecause::Expired),
    };
    let mut world = World::starting_as(expired.clone());
    let refused = world.sign_in();
    world.answer(paths::LOGIN, problem(401, "invalid_credentials"));
    assert!(matches!(refused.done(), Err(ApiError::Problem(_))));
    let lost = world.sign_in();
    world.lose(paths::LOGIN);
    assert_eq!(lost.done(), Err(ApiError::Offline));
    let nonsense = world.sign_in();
    world.answer(paths::LOGIN, granted("a-token-without-a-user"));
    assert_eq!(nonsense.done(), Err(ApiError::Unexpected { status: 200 }));
    assert_eq!(world.session.view(), expired);
    assert_eq!(world.views(), []);
}

#[test]
fn a_registration_signs_in() {
    let mut world = World::starting_as(SessionView::Anonymous { because: None });
    let session = world.session.clone();
    let request = RegisterRequest {
        email: "bob@example.com".into(),
        password: login().password,
        display_name: None,
    };
    let task = world.spawn(async move { session.register(request).await });
    let mut created = signed_in("t1", "bob");
    created.status = 201;
    world.answer(paths::REGISTER, created);
    assert_eq!(task.done(), Ok(user("bob")));
    assert_eq!(world.session.view(), view_of("bob", 900));
}

#[test]
fn a_sign_in_counts_even_if_its_page_was_left() {
    let mut world = World::starting_as(SessionView::Anonymous { because: None });
    {
        let session = world.session.clone();
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
    world.wake();
    world.answer(paths::LOGIN, signed_in("t1", "bob"));
    assert_eq!(world.session.view(), view_of("bob", 900));
}
