//! No token in any printed text.

use api_types::paths;
use session_client::{AccessToken, ApiRequest, ApiResponse, Method, SessionView};

use crate::support::{NOTES, World, granted, login, ok, problem, secs, user_answer};

const SECRET: &str = "eyJhbGciOiJFZERTQSJ9.c2VjcmV0.c2lnbmF0dXJl";

#[test]
fn debug_output_of_everything_public_carries_no_token() {
    let mut world = World::new();
    let restore = world.restore();
    world.answer(paths::REFRESH, granted(SECRET));
    world.answer(paths::ME, user_answer("ada"));
    let view = restore.done();
    let task = world.send();
    world.answer(NOTES, problem(403, "forbidden"));
    let answer = task.done().expect("an answer");
    assert!(
        world
            .log()
            .iter()
            .any(|sent| sent.bearer.as_deref() == Some(SECRET)),
        "it was sent, though"
    );

    let request = ApiRequest {
        bearer: AccessToken::new(SECRET.into()),
        ..ApiRequest::new(Method::Get, paths::ME)
    };
    let echo = ApiResponse {
        status: 200,
        body: SECRET.into(),
        retry_after: Some(secs(1)),
    };
    let printed = format!(
        "{view:?} {:?} {answer:?} {request:?} {echo:?} {:?}",
        world.session,
        answer.success()
    );
    assert!(
        !printed.contains(SECRET) && !printed.contains("c2VjcmV0"),
        "{printed}"
    );
    assert!(matches!(view, SessionView::SignedIn { .. }));
}

#[test]
fn no_request_but_those_to_the_api_carries_a_token_and_none_in_its_path_or_body() {
    let mut world = World::new();
    world.restore();
    world.answer(paths::REFRESH, granted(SECRET));
    world.answer(paths::ME, user_answer("ada"));
    let task = world.send();
    world.answer(NOTES, ok("[]"));
    assert!(task.done().is_ok());
    world.advance(secs(840));
    world.answer(paths::REFRESH, granted(SECRET));
    world.answer(paths::ME, user_answer("ada"));
    drop(world.sign_in());
    world.answer(paths::LOGIN, problem(401, "invalid_credentials"));
    drop(world.sign_out());
    for request in world.log() {
        let carries = [paths::ME, NOTES, paths::LOGOUT].contains(&request.path.as_str());
        assert_eq!(request.bearer.is_some(), carries, "{}", request.path);
        assert!(!format!("{}{:?}", request.path, request.body).contains(SECRET));
    }
}

#[test]
fn errors_carry_no_password() {
    let mut world = World::starting_as(SessionView::Anonymous { because: None });
    let task = world.sign_in();
    world.answer(paths::LOGIN, ok(format!("<html>{}</html>", login().password)));
    assert!(!format!("{:?}", task.done()).contains(&login().password));
}
