//! No page ever sends more refreshes than allowed.

use std::{cell::RefCell, collections::BTreeSet};

use proptest::{prelude::*, test_runner::TestCaseError};

use crate::{
    allowed_refreshes::{CausedRefresh, RefreshCause, SCHEDULED_WAIT, causes, most_at_once},
    check_all,
    plan::{BrowserSetup, Network, TestPlan, any_browser, plan, quiet, refreshing, with_the_lock},
    run_plan::PlanRun,
    shared::LockBehaviour,
};

#[test]
fn each_refresh_has_a_cause() {
    let seen = check_causes(plan(any_browser(), refreshing()), |_| Ok(()));
    assert!(seen.contains(&RefreshCause::Superseded));
}

#[test]
fn with_the_lock_tabs_refresh_one_at_a_time() {
    let seen = check_causes(plan(with_the_lock(), refreshing()), |run| {
        prop_assert!(most_at_once(&run.browser.journal()) <= 1);
        Ok(())
    });
    assert!(
        !seen.contains(&RefreshCause::Superseded),
        "no token is ever under way twice"
    );
}

/// Checks that each refresh has a cause, and returns all causes that occurred.
fn check_causes(
    plans: impl Strategy<Value = TestPlan>,
    property: fn(&PlanRun) -> Result<(), TestCaseError>,
) -> BTreeSet<RefreshCause> {
    let seen = RefCell::<BTreeSet<RefreshCause>>::default();
    check_all(plans, |plan| {
        let run = PlanRun::of(plan);
        let refreshes = causes(&run.browser.journal()).map_err(TestCaseError::fail)?;
        seen.borrow_mut()
            .extend(refreshes.iter().map(|refresh| refresh.cause));
        property(&run)
    });
    for cause in [
        RefreshCause::Loaded,
        RefreshCause::RestoredFromBfcache,
        RefreshCause::TokenNeeded,
        RefreshCause::BecameVisible,
        RefreshCause::Failed,
        RefreshCause::Scheduled,
    ] {
        assert!(seen.borrow().contains(&cause), "{cause:?} never occurred");
    }
    seen.into_inner()
}

/// If the lock works and all messages arrive, the first page that refreshes does so for all.
#[test]
fn each_expiry_costs_one_refresh_without_failures() {
    let browsers = (1..=6_usize, any::<bool>()).prop_map(|(tabs, spread)| BrowserSetup {
        tabs,
        lock: LockBehaviour::Works,
        channel: true,
        spread,
        network: Network::Prompt,
    });
    check_all(plan(browsers, quiet()), |plan| {
        let run = PlanRun::of(plan);
        let refreshes = causes(&run.browser.journal()).map_err(TestCaseError::fail)?;
        for (index, refresh) in refreshes.iter().enumerate() {
            if refresh.cause == RefreshCause::Scheduled {
                check_single_refresh(*refresh, &refreshes[..index])?;
            }
        }
        Ok(())
    });
}

/// No page has refreshed within the last lifetime. Exception: if two refreshes are due at the same time, the second
/// begins before it can receive the message about the first.
fn check_single_refresh(refresh: CausedRefresh, before: &[CausedRefresh]) -> Result<(), TestCaseError> {
    let too_early = before
        .iter()
        .filter(|earlier| refresh.at < earlier.at + SCHEDULED_WAIT);
    let (same_instant, sooner): (Vec<&CausedRefresh>, Vec<&CausedRefresh>) =
        too_early.partition(|earlier| earlier.at == refresh.at);
    prop_assert!(same_instant.len() <= 1, "{refresh:?} after {same_instant:?}");
    prop_assert!(sooner.is_empty(), "{refresh:?} after {sooner:?}");
    Ok(())
}
