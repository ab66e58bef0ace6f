//! What the design does not guarantee, found by the checker and recorded as stories.
//!
//! 1. **An overtaken response.** A cookie jar stores what arrives, even if it is older than its current content. A
//!    response that two rotations overtake leaves a dead token in the jar. One that a single rotation overtakes does so
//!    once the successor was used. Only the client can prevent it (one refresh at a time, across tabs). Without locks
//!    the gap remains.
//! 2. **A request that is delayed for longer than the grace period** looks like token theft.
//! 3. **A late response after a new sign-in**, without the client's queue: the jar holds the old session's token.
//! 4. **Two requests across a failover.** Two tabs present the same token, the first rotation is lost, and the second
//!    creates another successor. Then the lost one reaches the jar last. It is neither the live token nor newer than
//!    it. With one refresh at a time this cannot happen, as the scenario `LOST` shows.
//!
//! Tabs that wake up together after a lost response used to be the first of these. Now this case is L10, in `MENDED`.

use crate::{
    guard::{Guard, Missing},
    model::Keyturn,
    property::Invariant,
    scenario::Scenario,
    state::Ration,
    trace::{assert_story, shortest, story},
};

/// The shortest way to break an invariant.
fn find(scenario: Scenario, missing: &[Guard], invariant: Invariant) -> Option<String> {
    let model = Keyturn {
        scenario,
        missing: Missing::these(missing),
    };
    let path = shortest(&model, invariant.name())?;
    Some(story(&model, path))
}

const TABS: Scenario = Scenario {
    name: "three tabs",
    honest: &[Invariant::L3],
    sights: &[],
    ..Scenario::MENDED
};

#[test]
fn an_overtaken_answer() {
    let scenario = Scenario {
        budget: &[(Ration::Refresh, 4)],
        overtaking: true,
        ..TABS
    };
    let found = find(scenario, &[], Invariant::L3);
    assert_story("gap-overtaken-answer", found.as_deref());
}

#[test]
fn a_request_that_is_stuck_for_longer_than_the_grace() {
    let scenario = Scenario {
        budget: &[(Ration::Refresh, 3), (Ration::Use, 1), (Ration::Minute, 1)],
        slow: true,
        ..TABS
    };
    let found = find(scenario, &[], Invariant::L3);
    assert_story("gap-stuck-request", found.as_deref());
}

#[test]
fn a_late_answer_after_a_new_sign_in() {
    let found = find(Scenario::LEAVING, &[Guard::ClientQueues], Invariant::L7);
    assert_story("gap-late-answer-after-sign-in", found.as_deref());
}

#[test]
fn two_requests_across_a_fail_over() {
    let scenario = Scenario {
        budget: &[(Ration::Refresh, 3), (Ration::FailOver, 1)],
        honest: &[Invariant::L9],
        one_at_a_time: false,
        ..Scenario::LOST
    };
    let found = find(scenario, &[], Invariant::L9);
    assert_story("gap-across-a-fail-over", found.as_deref());
}
