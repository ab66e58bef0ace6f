//! What the design does not keep, found by the checker and kept as stories; and what would mend it.
//!
//! 1. **Woken together.** An answer is lost, and the heir stays unused for longer than the grace. Then two requests
//!    with the parent are under way at once. The first is given the heir and uses it, which ends the parent's
//!    forgiveness there and then: the second, milliseconds later, is taken for a theft. It takes no more than a laptop
//!    that was closed during a refresh and two tabs that wake up.
//! 2. **The same, one generation on.** The heir is not used but itself refreshed, and the second request is an
//!    ancestor's whose consumption is long ago.
//!
//!    Both are mended by counting the grace from the moment at which a token *stopped being good*: the first use of
//!    its heir (a confirmation sets `rotated_at` to the moment of that use), and for an ancestor the consumption of its
//!    heir (the store looks up the later of the two rows of the blacklist). `decide` stays as it is. The scenario
//!    `MENDED` shows that this suffices, and `MENDED_THEFT` that it costs no invariant; the grace of I4 and I5 is
//!    then counted from those moments.
//! 3. **An overtaken answer.** A jar takes what arrives, also when it is older than what it holds. An answer that is
//!    overtaken by two rotations leaves a dead token behind; one that is overtaken by a single rotation does so once
//!    the heir was used. Only the client can prevent it (one refresh at a time, across tabs); where there are no locks
//!    it remains.
//! 4. **A request that is stuck for longer than the grace** is not told apart from a theft. It cannot be.
//! 5. **A late answer after a new sign-in**, without the client's queue: the jar holds the old session's token.

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

const WAKING: Scenario = Scenario {
    name: "tabs that wake up together, as specified",
    budget: &[
        (Ration::Refresh, 3),
        (Ration::Use, 1),
        (Ration::Loss, 1),
        (Ration::Minute, 1),
    ],
    honest: &[Invariant::L3],
    mended: false,
    sights: &[],
    ..Scenario::MENDED
};

#[test]
fn two_tabs_that_wake_up_after_a_lost_answer() {
    let found = find(WAKING, &[], Invariant::L3);
    assert_story("gap-woken-together", found.as_deref());
}

#[test]
fn the_same_one_generation_on() {
    let scenario = Scenario {
        budget: &[(Ration::Refresh, 4), (Ration::Loss, 1), (Ration::Minute, 1)],
        ..WAKING
    };
    let found = find(scenario, &[], Invariant::L3);
    assert_story("gap-woken-together-ancestor", found.as_deref());
}

#[test]
fn an_overtaken_answer() {
    let scenario = Scenario {
        budget: &[(Ration::Refresh, 4)],
        overtaking: true,
        ..WAKING
    };
    let found = find(scenario, &[], Invariant::L3);
    assert_story("gap-overtaken-answer", found.as_deref());
}

#[test]
fn a_request_that_is_stuck_for_longer_than_the_grace() {
    let scenario = Scenario {
        budget: &[(Ration::Refresh, 3), (Ration::Use, 1), (Ration::Minute, 1)],
        slow: true,
        ..WAKING
    };
    let found = find(scenario, &[], Invariant::L3);
    assert_story("gap-stuck-request", found.as_deref());
}

#[test]
fn a_late_answer_after_a_new_sign_in() {
    let found = find(Scenario::LEAVING, &[Guard::ClientQueues], Invariant::L7);
    assert_story("gap-late-answer-after-sign-in", found.as_deref());
}
