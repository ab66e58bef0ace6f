//! No token in any printed text.

use api_types::paths;
use session_client::{AccessToken, ApiRequest, ApiResponse, Method, SessionView};

use crate::support::{NOTES, TestPage, login, ok, problem, secs, token_response, user_response};

const SECRET: &str = "eyJhbGciOiJFZERTQSJ9.c2VjcmV0.c2lnbmF0dXJl";

#[test]
fn debug_output_of_everything_public_carries_no_token() {
    let mut page = TestPage::new();
    let restore = page.restore();
    page.answer(paths::REFRESH, token_response(SECRET));
    page.answer(paths::ME, user_response("ada"));
    let view = restore.done();
    let task = page.send();
    page.answer(NOTES, problem(403, "forbidden"));
    let answer = task.done().expect("an answer");
    assert!(
        page.log()
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
        page.session,
        answer.success()
    );
    assert!(
        !printed.contains(SECRET) && !printed.contains("c2VjcmV0"),
        "{printed}"
    );
    assert!(matches!(view, SessionView::SignedIn { .. }));
}

#[test]
fn tokens_travel_in_the_authorization_header_only() {
    let mut page = TestPage::new();
    page.restore();
    page.answer(paths::REFRESH, token_response(SECRET));
    page.answer(paths::ME, user_response("ada"));
    let task = page.send();
    page.answer(NOTES, ok("[]"));
    assert!(task.done().is_ok());
    page.advance(secs(840));
    page.answer(paths::REFRESH, token_response(SECRET));
    page.answer(paths::ME, user_response("ada"));
    drop(page.sign_in());
    page.answer(paths::LOGIN, problem(401, "invalid_credentials"));
    drop(page.sign_out());
    for request in page.log() {
        let carries = [paths::ME, NOTES, paths::LOGOUT].contains(&request.path.as_str());
        assert_eq!(request.bearer.is_some(), carries, "{}", request.path);
        assert!(!format!("{}{:?}", request.path, request.body).contains(SECRET));
    }
}

#[test]
fn errors_carry_no_password() {
    let mut page = TestPage::starting_as(SessionView::Anonymous { reason: None });
    let task = page.sign_in();
    page.answer(paths::LOGIN, ok(format!("<html>{}</html>", login().password)));
    assert!(!format!("{:?}", task.done()).contains(&login().password));
}
