//! A listener receives every change, in order, and may act on it.

use std::{cell::RefCell, rc::Rc};

use api_types::paths;
use session_client::SessionView;

use crate::support::{TestPage, secs, signed_in_view, token_response, user_response};

#[test]
fn listeners_receive_every_change_once() {
    let mut page = TestPage::new();
    page.restore();
    page.answer(paths::REFRESH, token_response("t1"));
    assert_eq!(page.views(), [], "a token without its user is no change");
    page.answer(paths::ME, user_response("ada"));
    page.advance(secs(840));
    page.lose(paths::REFRESH);
    page.advance(secs(1));
    page.lose(paths::REFRESH);
    drop(page.sign_out());
    assert_eq!(
        page.views(),
        [
            signed_in_view("ada", 900),
            SessionView::Reconnecting {
                user: Some(crate::support::user("ada"))
            },
            SessionView::Anonymous { reason: None },
        ]
    );
}

#[test]
fn changes_by_a_listener_reach_the_others_in_order() {
    let mut page = TestPage::new();
    let session = page.session.clone();
    page.session.on_change(move |view| {
        if matches!(view, SessionView::SignedIn { .. }) {
            drop(session.sign_out());
        }
    });
    let views = Rc::<RefCell<Vec<SessionView>>>::default();
    let last = Rc::clone(&views);
    page.session.on_change(move |view| last.borrow_mut().push(view));
    page.restore();
    page.answer(paths::REFRESH, token_response("t1"));
    page.answer(paths::ME, user_response("ada"));
    assert_eq!(
        *views.borrow(),
        [
            signed_in_view("ada", 900),
            SessionView::Anonymous { reason: None }
        ]
    );
    assert_eq!(page.open_paths(), [paths::LOGOUT]);
}

#[test]
fn a_listener_may_add_a_listener() {
    let mut page = TestPage::new();
    let session = page.session.clone();
    page.session.on_change(move |_| session.on_change(|_| {}));
    page.restore();
    page.answer(paths::REFRESH, token_response("t1"));
    page.answer(paths::ME, user_response("ada"));
    assert_eq!(page.session.view(), signed_in_view("ada", 900));
}

#[test]
fn a_listener_reads_the_same_view_from_the_manager() {
    let mut page = TestPage::new();
    let agreed = Rc::new(RefCell::new(true));
    let (session, result) = (page.session.clone(), Rc::clone(&agreed));
    page.session
        .on_change(move |view| *result.borrow_mut() &= session.view() == view);
    page.restore();
    page.answer(paths::REFRESH, token_response("t1"));
    page.answer(paths::ME, user_response("ada"));
    assert!(*agreed.borrow());
}
