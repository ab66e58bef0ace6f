//! Inspection for developers: the token's content, and the log of requests.

use api_types::paths;
use session_client::{
    ApiRequest, ClaimValue, Method,
    traffic::{Answered, KEPT},
};

use crate::support::{NOTES, World, granted, ok, problem, secs, user_answer, view_of};

/// A token in the server's form: `{"alg":"EdDSA"}`, `{"gen":7,"iss":"us"}`, and a signature.
const TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.eyJnZW4iOjcsImlzcyI6InVzIn0.c2lnbmF0dXJl";

fn restored_with(token: &str) -> World {
    let mut world = World::new();
    let restore = world.restore();
    world.answer(paths::REFRESH, granted(token));
    world.answer(paths::ME, user_answer("ada"));
    assert_eq!(restore.done(), view_of("ada", 900));
    world
}

#[test]
fn a_token_is_taken_apart_without_its_signature() {
    let world = restored_with(TOKEN);
    let inspected = world.session.inspect().expect("a token");
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
fn what_is_no_jwt_is_not_taken_apart() {
    assert_eq!(World::new().session.inspect(), None, "no one is signed in");
    for token in ["opaque", "a.b.c", "eyJhbGciOiJFZERTQSJ9.W10.c2ln"] {
        assert_eq!(restored_with(token).session.inspect(), None, "{token}");
    }
}

#[test]
fn a_token_can_be_renewed_on_demand() {
    let mut world = World::restored();
    let session = world.session.clone();
    let renewal = world.spawn(async move { session.renew().await });
    world.advance(secs(10));
    world.answer(paths::REFRESH, granted("t2"));
    world.answer(paths::ME, user_answer("ada"));
    assert_eq!(renewal.done(), view_of("ada", 900));
    assert_eq!(world.count(paths::REFRESH), 2);
}

#[test]
fn renewing_without_a_session_asks_nothing() {
    let mut world = World::new();
    let session = world.session.clone();
    let view = world.spawn(async move { session.renew().await }).done();
    assert_eq!(view, world.session.view());
    assert_eq!(world.log(), []);
}

#[test]
fn a_spoiled_token_is_refused_and_the_request_goes_out_again() {
    let mut world = restored_with(TOKEN);
    let session = world.session.clone();
    let request = ApiRequest::new(Method::Get, NOTES);
    let task = world.spawn(async move { session.send_refused(request).await });
    world.answer(NOTES, problem(401, "invalid_token"));
    world.answer(paths::REFRESH, granted("t2"));
    world.answer(paths::ME, user_answer("ada"));
    world.answer(NOTES, ok("[]"));
    assert_eq!(task.done().expect("answered").status, 200);
    let log = world.log();
    let bearers: Vec<_> = log
        .iter()
        .filter(|sent| sent.path == NOTES)
        .map(|sent| sent.bearer.as_deref())
        .collect();
    assert_eq!(bearers, [Some(&*TOKEN.replace(".c2ln", ".A2ln")), Some("t2")]);
}

#[test]
fn the_log_has_what_was_sent_and_what_came_of_it_and_no_secret() {
    let mut world = World::restored();
    let task = world.send_to("/api/notes?search=secret");
    let pending = world.session.traffic().exchanges().pop().expect("it was sent");
    assert_eq!((pending.path.as_str(), pending.outcome), ("/api/notes", None));
    world.lose("/api/notes?search=secret");
    assert!(task.done().is_err());
    let refused = world.send();
    world.answer(NOTES, problem(403, "forbidden"));
    assert_eq!(refused.done().expect("answered").status, 403);

    let log = world.session.traffic().exchanges();
    let paths: Vec<_> = log.iter().map(|exchange| exchange.path.as_str()).collect();
    assert_eq!(paths, [paths::REFRESH, paths::ME, "/api/notes", NOTES]);
    let carried: Vec<_> = log
        .iter()
        .map(|exchange| (exchange.bearer, exchange.uses_cookie()))
        .collect();
    assert_eq!(
        carried,
        [(false, true), (true, false), (true, false), (true, false)]
    );
    let answers: Vec<_> = log
        .iter()
        .map(|exchange| exchange.outcome.clone().expect("over").answer)
        .collect();
    let answered = |status, code: Option<&str>| {
        let code = code.map(str::to_owned);
        Some(Answered { status, code })
    };
    assert_eq!(
        answers,
        [
            answered(200, None),
            answered(200, None),
            None,
            answered(403, Some("forbidden"))
        ]
    );
    for secret in ["secret", "t1"] {
        assert!(!format!("{log:?}").contains(secret), "{secret}");
    }
}

#[test]
fn it_is_known_how_long_a_reload_took_to_bring_the_session_back() {
    let mut world = World::new();
    let restore = world.restore();
    world.advance(std::time::Duration::from_millis(120));
    world.answer(paths::REFRESH, granted("t1"));
    assert_eq!(
        world.session.traffic().restored_after(),
        None,
        "its user is unknown"
    );
    world.advance(std::time::Duration::from_millis(30));
    world.answer(paths::ME, user_answer("ada"));
    drop(restore);
    let took = std::time::Duration::from_millis(150);
    assert_eq!(world.session.traffic().restored_after(), Some(took));
    let later = world.send();
    world.advance(secs(5));
    world.answer(NOTES, ok("[]"));
    assert!(later.done().is_ok());
    assert_eq!(
        world.session.traffic().restored_after(),
        Some(took),
        "once and for all"
    );
}

#[test]
fn a_sign_in_is_no_reload() {
    let mut world = World::starting_as(session_client::SessionView::Anonymous { because: None });
    let task = world.sign_in();
    world.answer(paths::LOGIN, crate::support::signed_in("t1", "bob"));
    assert!(task.done().is_ok());
    let me = world.spawn({
        let session = world.session.clone();
        async move { session.me().await }
    });
    world.answer(paths::ME, user_answer("bob"));
    assert!(me.done().is_ok());
    assert_eq!(world.session.traffic().restored_after(), None);
}

#[test]
fn the_log_keeps_the_last_requests_and_tells_of_each_change() {
    let mut world = World::restored();
    let told = std::rc::Rc::new(std::cell::Cell::new(0));
    let counter = std::rc::Rc::clone(&told);
    world
        .session
        .traffic()
        .on_change(move || counter.set(counter.get() + 1));
    for _ in 0..KEPT {
        let task = world.send();
        world.answer(NOTES, ok("[]"));
        assert!(task.done().is_ok());
    }
    let log = world.session.traffic().exchanges();
    assert_eq!(log.len(), KEPT);
    assert_eq!(log[0].number, 3, "the two of the page load are gone");
    assert_eq!(told.get(), 2 * KEPT, "sent, and answered");
}
