//! Any number of requests that need a refresh share one.

use api_types::paths;

use crate::support::{NOTES, TTL, TestPage, ok, problem, secs, token_response, user_response};

const MANY: usize = 100;

#[test]
fn a_hundred_requests_without_a_token_share_one_refresh() {
    let mut page = TestPage::restored();
    page.sleep_without_timers(secs(TTL));
    let tasks: Vec<_> = (0..MANY).map(|_| page.send()).collect();
    assert_eq!(
        page.open_paths(),
        [paths::REFRESH],
        "nothing goes out with a token that has ended"
    );

    page.answer(paths::REFRESH, token_response("t2"));
    assert_eq!(
        page.open_paths(),
        [paths::ME],
        "and nothing before it is known whose the new one is"
    );
    page.answer(paths::ME, user_response("ada"));
    for _ in 0..MANY {
        page.answer(NOTES, ok("[]"));
    }
    assert!(
        tasks
            .into_iter()
            .all(|task| task.done().is_ok_and(|answer| answer.status == 200))
    );
    assert_eq!(
        page.count(paths::REFRESH),
        2,
        "one at the page load, one for the hundred"
    );
    assert_eq!(bearers(&page), ["t2"; MANY]);
}

#[test]
fn a_hundred_refused_requests_share_one_refresh() {
    let mut page = TestPage::restored();
    let tasks: Vec<_> = (0..MANY).map(|_| page.send()).collect();
    for _ in 0..MANY {
        page.answer(NOTES, problem(401, "invalid_token"));
    }
    assert_eq!(page.open_paths(), [paths::REFRESH]);
    page.answer(paths::REFRESH, token_response("t2"));
    page.answer(paths::ME, user_response("ada"));
    for _ in 0..MANY {
        page.answer(NOTES, ok("[]"));
    }
    assert!(
        tasks
            .into_iter()
            .all(|task| task.done().is_ok_and(|answer| answer.status == 200))
    );
    assert_eq!(page.count(paths::REFRESH), 2);
    assert_eq!(bearers(&page), [["t1"; MANY], ["t2"; MANY]].concat());
}

#[test]
fn requests_and_a_restore_share_one_refresh() {
    let mut page = TestPage::new();
    let early = page.send();
    let restore = page.restore();
    let again = page.restore();
    assert_eq!(page.open_paths(), [paths::REFRESH]);
    page.answer(paths::REFRESH, token_response("t1"));
    page.answer(paths::ME, user_response("ada"));
    assert_eq!(restore.done(), again.done());
    page.answer(NOTES, ok("[]"));
    assert!(early.done().is_ok());
    assert_eq!(page.count(paths::REFRESH), 1);
}

#[test]
fn the_timer_and_the_requests_share_one_refresh() {
    let mut page = TestPage::restored();
    page.advance(secs(840));
    assert_eq!(page.open_paths(), [paths::REFRESH], "the timer asked");
    let task = page.send();
    page.answer(NOTES, problem(401, "invalid_token"));
    assert_eq!(
        page.open_paths(),
        [paths::REFRESH],
        "and the refused request joins it"
    );
    page.answer(paths::REFRESH, token_response("t2"));
    page.answer(paths::ME, user_response("ada"));
    page.answer(NOTES, ok("[]"));
    assert!(task.done().is_ok());
}

fn bearers(page: &TestPage) -> Vec<String> {
    let notes = page.log().into_iter().filter(|request| request.path == NOTES);
    notes.map(|request| request.bearer.expect("a bearer")).collect()
}
