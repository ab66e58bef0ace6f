//! A listener receives every change, in order, and may act on it.

use std::{cell::RefCell, rc::Rc};

use api_types::paths;
use session_client::SessionView;

use crate::support::{World, granted, secs, user_answer, view_of};

#[test]
fn every_change_is_told_once_and_nothing_else() {
    let mut world = World::new();
    world.restore();
    world.answer(paths::REFRESH, granted("t1"));
    assert_eq!(world.views(), [], "a token without its user is no change");
    world.answer(paths::ME, user_answer("ada"));
    world.advance(secs(840));
    world.lose(paths::REFRESH);
    world.advance(secs(1));
    world.lose(paths::REFRESH);
    drop(world.sign_out());
    assert_eq!(
        world.views(),
        [
            view_of("ada", 900),
            SessionView::Reconnecting {
                user: Some(crate::support::user("ada"))
            },
            SessionView::Anonymous { because: None },
        ]
    );
}

#[test]
fn a_listener_that_signs_out_does_not_make_others_hear_things_backwards() {
    let mut world = World::new();
    let session = world.session.clone();
    world.session.on_change(move |view| {
        if matches!(view, SessionView::SignedIn { .. }) {
            drop(session.sign_out());
        }
    });
    let heard = Rc::<RefCell<Vec<SessionView>>>::default();
    let last = Rc::clone(&heard);
    world.session.on_change(move |view| last.borrow_mut().push(view));
    world.restore();
    world.answer(paths::REFRESH, granted("t1"));
    world.answer(paths::ME, user_answer("ada"));
    assert_eq!(
        *heard.borrow(),
        [view_of("ada", 900), SessionView::Anonymous { because: None }]
    );
    assert_eq!(world.open(), [paths::LOGOUT]);
}

#[test]
fn a_listener_may_add_a_listener() {
    let mut world = World::new();
    let session = world.session.clone();
    world.session.on_change(move |_| session.on_change(|_| {}));
    world.restore();
    world.answer(paths::REFRESH, granted("t1"));
    world.answer(paths::ME, user_answer("ada"));
    assert_eq!(world.session.view(), view_of("ada", 900));
}

#[test]
fn whoever_is_told_can_read_the_same_view_from_the_manager() {
    let mut world = World::new();
    let agreed = Rc::new(RefCell::new(true));
    let (session, result) = (world.session.clone(), Rc::clone(&agreed));
    world
        .session
        .on_change(move |view| *result.borrow_mut() &= session.view() == view);
    world.restore();
    world.answer(paths::REFRESH, granted("t1"));
    world.answer(paths::ME, user_answer("ada"));
    assert!(*agreed.borrow());
}
