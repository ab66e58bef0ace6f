//! Inspection for developers: the token's content, and the log of requests.

use api_types::paths;
use session_client::{
    ApiRequest, ClaimValue, Method,
    request_log::{LoggedResponse, MAX_ENTRIES},
};

use crate::support::{NOTES, TestPage, ok, problem, secs, signed_in_view, token_response, user_response};

/// A token in the server's form: `{"alg":"EdDSA"}`, `{"gen":7,"iss":"us"}`, and a signature.
const TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.eyJnZW4iOjcsImlzcyI6InVzIn0.c2lnbmF0dXJl";

fn signed_in_with(token: &str) -> TestPage {
    let mut page = TestPage::new();
    let restore = page.restore();
    page.answer(paths::REFRESH, token_response(token));
    page.answer(paths::ME, user_response("ada"));
    assert_eq!(restore.done(), signed_in_view("ada", 900));
    page
}

#[test]
fn a_token_is_decoded_without_its_signature() {
    let page = signed_in_with(TOKEN);
    let inspected = page.session.inspect().expect("a token");
    let names: Vec<_> = inspected.claims.iter().map(|claim| claim.name.as_str()).collect();
    assert_eq!(names, ["gen", "iss"], "in the token's order");
    assert_eq!(inspected.number("gen"), Some(7));
    assert_eq!(inspected.number("iss"), None);
    assert_eq!((inspected.text("iss"), inspected.text("gen")), (Some("us"), None));
    assert_eq!(inspected.header[0].value, ClaimValue::Text("EdDSA".into()));
    assert_eq!((inspected.signature, inspected.expires_at), (12, secs(900)));
    assert!(!format!("{inspected:?}").contains("c2lnbmF0dXJl"));
}

#[test]
fn other_tokens_are_not_decoded() {
    assert_eq!(TestPage::new().session.inspect(), None, "no one is signed in");
    for token in ["opaque", "a.b.c", "eyJhbGciOiJFZERTQSJ9.W10.c2ln"] {
        assert_eq!(signed_in_with(token).session.inspect(), None, "{token}");
    }
}

#[test]
fn a_token_can_be_renewed_on_demand() {
    let mut page = TestPage::restored();
    let session = page.session.clone();
    let renewal = page.spawn(async move { session.renew().await });
    page.advance(secs(10));
    page.answer(paths::REFRESH, token_response("t2"));
    page.answer(paths::ME, user_response("ada"));
    assert_eq!(renewal.done(), signed_in_view("ada", 900));
    assert_eq!(page.count(paths::REFRESH), 2);
}

#[test]
fn renewing_without_a_session_sends_nothing() {
    let mut page = TestPage::new();
    let session = page.session.clone();
    let view = page.spawn(async move { session.renew().await }).done();
    assert_eq!(view, page.session.view());
    assert_eq!(page.log(), []);
}

#[test]
fn an_invalid_token_causes_a_refresh_and_a_replay() {
    let mut page = signed_in_with(TOKEN);
    let session = page.session.clone();
    let request = ApiRequest::new(Method::Get, NOTES);
    let task = page.spawn(async move { session.send_with_invalid_token(request).await });
    page.answer(NOTES, problem(401, "invalid_token"));
    page.answer(paths::REFRESH, token_response("t2"));
    page.answer(paths::ME, user_response("ada"));
    page.answer(NOTES, ok("[]"));
    assert_eq!(task.done().expect("answered").status, 200);
    let log = page.log();
    let bearers: Vec<_> = log
        .iter()
        .filter(|sent| sent.path == NOTES)
        .map(|sent| sent.bearer.as_deref())
        .collect();
    assert_eq!(bearers, [Some(&*TOKEN.replace(".c2ln", ".A2ln")), Some("t2")]);
}

#[test]
fn the_log_records_requests_and_outcomes_without_secrets() {
    let mut page = TestPage::restored();
    let task = page.send_to("/api/notes?search=secret");
    let pending = page.session.request_log().entries().pop().expect("it was sent");
    assert_eq!((pending.path.as_str(), pending.outcome), ("/api/notes", None));
    page.lose("/api/notes?search=secret");
    assert!(task.done().is_err());
    let refused = page.send();
    page.answer(NOTES, problem(403, "forbidden"));
    assert_eq!(refused.done().expect("answered").status, 403);

    let log = page.session.request_log().entries();
    let paths: Vec<_> = log.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(paths, [paths::REFRESH, paths::ME, "/api/notes", NOTES]);
    let sent_cookie: Vec<_> = log
        .iter()
        .map(|entry| (entry.bearer, entry.uses_cookie()))
        .collect();
    assert_eq!(
        sent_cookie,
        [(false, true), (true, false), (true, false), (true, false)]
    );
    let responses: Vec<_> = log
        .iter()
        .map(|entry| entry.outcome.clone().expect("over").response)
        .collect();
    let logged = |status, code: Option<&str>| {
        let code = code.map(str::to_owned);
        Some(LoggedResponse { status, code })
    };
    assert_eq!(
        responses,
        [
            logged(200, None),
            logged(200, None),
            None,
            logged(403, Some("forbidden"))
        ]
    );
    for secret in ["secret", "t1"] {
        assert!(!format!("{log:?}").contains(secret), "{secret}");
    }
}

#[test]
fn the_log_measures_how_long_a_restore_took() {
    let mut page = TestPage::new();
    let restore = page.restore();
    page.advance(std::time::Duration::from_millis(120));
    page.answer(paths::REFRESH, token_response("t1"));
    assert_eq!(
        page.session.request_log().restored_after(),
        None,
        "its user is unknown"
    );
    page.advance(std::time::Duration::from_millis(30));
    page.answer(paths::ME, user_response("ada"));
    drop(restore);
    let took = std::time::Duration::from_millis(150);
    assert_eq!(page.session.request_log().restored_after(), Some(took));
    let later = page.send();
    page.advance(secs(5));
    page.answer(NOTES, ok("[]"));
    assert!(later.done().is_ok());
    assert_eq!(
        page.session.request_log().restored_after(),
        Some(took),
        "once and for all"
    );
}

#[test]
fn a_sign_in_is_not_measured_as_a_restore() {
    let mut page = TestPage::starting_as(session_client::SessionView::Anonymous { reason: None });
    let task = page.sign_in();
    page.answer(paths::LOGIN, crate::support::signed_in("t1", "bob"));
    assert!(task.done().is_ok());
    let me = page.spawn({
        let session = page.session.clone();
        async move { session.me().await }
    });
    page.answer(paths::ME, user_response("bob"));
    assert!(me.done().is_ok());
    assert_eq!(page.session.request_log().restored_after(), None);
}

#[test]
fn the_log_is_bounded_and_notifies_each_change() {
    let mut page = TestPage::restored();
    let notifications = std::rc::Rc::new(std::cell::Cell::new(0));
    let counter = std::rc::Rc::clone(&notifications);
    page.session
        .request_log()
        .on_change(move || counter.set(counter.get() + 1));
    for _ in 0..MAX_ENTRIES {
        let task = page.send();
        page.answer(NOTES, ok("[]"));
        assert!(task.done().is_ok());
    }
    let log = page.session.request_log().entries();
    assert_eq!(log.len(), MAX_ENTRIES);
    assert_eq!(log[0].number, 3, "the two of the page load are gone");
    assert_eq!(notifications.get(), 2 * MAX_ENTRIES, "sent, and answered");
}
