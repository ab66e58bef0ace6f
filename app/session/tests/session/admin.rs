//! Calls for administrators.

use session_client::Method;

use crate::support::{TestPage, ok};

#[test]
fn search_text_travels_in_the_body_with_its_cursor() {
    let mut page = TestPage::restored();
    let session = page.session.clone();
    let task = page.spawn(async move { session.users("a&limit=1 ü", Some("u7")).await });
    let request = page.log().pop().expect("a request");
    assert_eq!(
        (request.method, request.path.as_str(), request.body.as_deref()),
        (
            Method::Post,
            "/api/admin/users/search",
            Some(r#"{"email":"a&limit=1 ü","after":"u7","limit":20}"#)
        )
    );
    page.answer(
        "/api/admin/users/search",
        ok(r#"{"users":[{"id":"u8","email":"a@example.com","display_name":null,"role":"user","disabled_at":null,"created_at":1}]}"#),
    );
    let user_page = task.done().expect("a page");
    assert_eq!((user_page.users[0].id.as_str(), user_page.next), ("u8", None));
}

#[test]
fn an_empty_search_lists_all_users() {
    let mut page = TestPage::restored();
    let session = page.session.clone();
    let task = page.spawn(async move { session.users("", None).await });
    page.answer("/api/admin/users?limit=20", ok(r#"{"users":[],"next":"u1"}"#));
    assert_eq!(task.done().expect("a page").next.as_deref(), Some("u1"));
    let session = page.session.clone();
    let task = page.spawn(async move { session.users("", Some("u&1")).await });
    page.answer("/api/admin/users?limit=20&after=u%261", ok(r#"{"users":[]}"#));
    assert_eq!(task.done().expect("a page").next, None);
}

#[test]
fn each_admin_action_has_its_own_request() {
    let mut page = TestPage::restored();
    let session = page.session.clone();
    let task = page.spawn(async move {
        session.disable_user("u1").await?;
        session.enable_user("u1").await?;
        session.end_user_sessions("u1").await
    });
    for (method, path) in [
        (Method::Post, "/api/admin/users/u1/disable"),
        (Method::Post, "/api/admin/users/u1/enable"),
        (Method::Delete, "/api/admin/users/u1/sessions"),
    ] {
        let last = page.log().pop().expect("a request");
        assert_eq!((last.method, last.path.as_str()), (method, path));
        page.answer(path, ok(""));
    }
    assert!(task.done().is_ok());
}
