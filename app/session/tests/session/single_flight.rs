//! Any number of requests that need a refresh share one.

use api_types::paths;

use crate::support::{NOTES, TTL, World, granted, ok, problem, secs, user_answer};

const MANY: usize = 100;

#[test]
fn a_hundred_requests_without_a_token_share_one_refresh() {
    let mut world = World::restored();
    world.sleep(secs(TTL));
    let tasks: Vec<_> = (0..MANY).map(|_| world.send()).collect();
    assert_eq!(
        world.open(),
        [paths::REFRESH],
        "nothing goes out with a token that has ended"
    );

    world.answer(paths::REFRESH, granted("t2"));
    assert_eq!(
        world.open(),
        [paths::ME],
        "and nothing before it is known whose the new one is"
    );
    world.answer(paths::ME, user_answer("ada"));
    for _ in 0..MANY {
        world.answer(NOTES, ok("[]"));
    }
    assert!(
        tasks
            .into_iter()
            .all(|task| task.done().is_ok_and(|answer| answer.status == 200))
    );
    assert_eq!(
        world.count(paths::REFRESH),
        2,
        "one at the page load, one for the hundred"
    );
    assert_eq!(bearers(&world), ["t2"; MANY]);
}

#[test]
fn a_hundred_refused_requests_share_one_refresh() {
    let mut world = World::restored();
    let tasks: Vec<_> = (0..MANY).map(|_| world.send()).collect();
    for _ in 0..MANY {
        world.answer(NOTES, problem(401, "invalid_token"));
    }
    assert_eq!(world.open(), [paths::REFRESH]);
    world.answer(paths::REFRESH, granted("t2"));
    world.answer(paths::ME, user_answer("ada"));
    for _ in 0..MANY {
        world.answer(NOTES, ok("[]"));
    }
    assert!(
        tasks
            .into_iter()
            .all(|task| task.done().is_ok_and(|answer| answer.status == 200))
    );
    assert_eq!(world.count(paths::REFRESH), 2);
    assert_eq!(bearers(&world), [["t1"; MANY], ["t2"; MANY]].concat());
}

#[test]
fn requests_and_the_restore_of_a_page_load_share_one_refresh() {
    let mut world = World::new();
    let early = world.send();
    let restore = world.restore();
    let again = world.restore();
    assert_eq!(world.open(), [paths::REFRESH]);
    world.answer(paths::REFRESH, granted("t1"));
    world.answer(paths::ME, user_answer("ada"));
    assert_eq!(restore.done(), again.done());
    world.answer(NOTES, ok("[]"));
    assert!(early.done().is_ok());
    assert_eq!(world.count(paths::REFRESH), 1);
}

#[test]
fn the_timer_and_the_requests_share_one_refresh() {
    let mut world = World::restored();
    world.advance(secs(840));
    assert_eq!(world.open(), [paths::REFRESH], "the timer asked");
    let task = world.send();
    world.answer(NOTES, problem(401, "invalid_token"));
    assert_eq!(world.open(), [paths::REFRESH], "and the refused request joins it");
    world.answer(paths::REFRESH, granted("t2"));
    world.answer(paths::ME, user_answer("ada"));
    world.answer(NOTES, ok("[]"));
    assert!(task.done().is_ok());
}

fn bearers(world: &World) -> Vec<String> {
    let notes = world.log().into_iter().filter(|request| request.path == NOTES);
    notes.map(|request| request.bearer.expect("a bearer")).collect()
}
