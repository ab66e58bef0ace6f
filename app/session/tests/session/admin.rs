//! Calls for administrators.

use session_client::Method;

use crate::support::{World, ok};

#[test]
fn a_search_stays_out_of_the_address_and_goes_on_where_the_page_before_ended() {
    let mut world = World::restored();
    let session = world.session.clone();
    let task = world.spawn(async move { session.users("a&limit=1 ü", Some("u7")).await });
    let asked = world.log().pop().expect("a request");
    assert_eq!(
        (asked.method, asked.path.as_str(), asked.body.as_deref()),
        (
            Method::Post,
            "/api/admin/users/search",
            Some(r#"{"email":"a&limit=1 ü","after":"u7","limit":20}"#)
        )
    );
    world.answer(
        "/api/admin/users/search",
        ok(r#"{"users":[{"id":"u8","email":"a@example.com","display_name":null,"role":"user","disabled_at":null,"created_at":1}]}"#),
    );
    let page = task.done().expect("a page");
    assert_eq!((page.users[0].id.as_str(), page.next), ("u8", None));
}

#[test]
fn an_empty_search_asks_for_everybody() {
    let mut world = World::restored();
    let session = world.session.clone();
    let task = world.spawn(async move { session.users("", None).await });
    world.answer("/api/admin/users?limit=20", ok(r#"{"users":[],"next":"u1"}"#));
    assert_eq!(task.done().expect("a page").next.as_deref(), Some("u1"));
    let session = world.session.clone();
    let task = world.spawn(async move { session.users("", Some("u&1")).await });
    world.answer("/api/admin/users?limit=20&after=u%261", ok(r#"{"users":[]}"#));
    assert_eq!(task.done().expect("a page").next, None);
}

#[test]
fn each_deed_has_its_own_request() {
    let mut world = World::restored();
    let session = world.session.clone();
    let task = world.spawn(async move {
        session.disable_user("u1").await?;
        session.enable_user("u1").await?;
        session.end_user_sessions("u1").await
    });
    for (method, path) in [
        (Method::Post, "/api/admin/users/u1/disable"),
        (Method::Post, "/api/admin/users/u1/enable"),
        (Method::Delete, "/api/admin/users/u1/sessions"),
    ] {
        let last = world.log().pop().expect("a request");
        assert_eq!((last.method, last.path.as_str()), (method, path));
        world.answer(path, ok(""));
    }
    assert!(task.done().is_ok());
}
