//! No one is ever signed out by mistake: L1 to L3 and L5 of the specification, with the real client.

use std::{cell::RefCell, collections::BTreeSet};

use proptest::{prelude::*, test_runner::TestCaseError};
use session_client::SessionView;

use crate::{
    check_all,
    plan::{TestPlan, any_browser, plan, refreshing, with_the_lock},
    rotation_server::{Gap, ObservedOutcome},
    run_plan::PlanRun,
};

/// If the lock works, no gap occurs: no token is ever under way twice.
#[test]
fn with_the_lock_no_tab_is_ever_signed_out() {
    let seen = check_no_sign_out(plan(with_the_lock(), refreshing()));
    assert_eq!(seen, [ObservedOutcome::Rotated, ObservedOutcome::Replayed].into());
}

#[test]
fn without_the_lock_only_known_gaps_sign_out() {
    let seen = check_no_sign_out(plan(any_browser(), refreshing()));
    let must_occur = [
        ObservedOutcome::Rotated,
        ObservedOutcome::Replayed,
        ObservedOutcome::Stale,
        ObservedOutcome::Excluded(Gap::Delayed),
        ObservedOutcome::Excluded(Gap::Overtaken),
    ];
    assert_eq!(seen, must_occur.into());
}

/// Returns every outcome of a refresh that occurred on the server.
fn check_no_sign_out(plans: impl Strategy<Value = TestPlan>) -> BTreeSet<ObservedOutcome> {
    let seen = RefCell::<BTreeSet<ObservedOutcome>>::default();
    check_all(plans, |plan| {
        let run = PlanRun::of(plan);
        let browser = &run.browser;
        seen.borrow_mut()
            .extend(browser.on_server(|server| server.outcomes.clone()));
        ada_is_signed_in(&run)
    });
    seen.into_inner()
}

fn ada_is_signed_in(run: &PlanRun) -> Result<(), TestCaseError> {
    let browser = &run.browser;
    prop_assert!(
        !browser.on_server(|server| server.outcomes.contains(&ObservedOutcome::Reuse)),
        "a theft was seen"
    );
    prop_assert_eq!(browser.active_sessions(), 1);
    prop_assert_eq!(browser.cookie_owner(), Some("ada".into()));
    for tab in 0..browser.tabs() {
        let out = browser
            .views(tab)
            .into_iter()
            .find(|view| matches!(view, SessionView::Anonymous { .. }));
        prop_assert_eq!(out, None, "tab {}", tab);
    }
    for tab in browser.open_tabs() {
        prop_assert_eq!(browser.displayed_name(tab), Some("ada".into()), "tab {}", tab);
    }
    Ok(())
}
