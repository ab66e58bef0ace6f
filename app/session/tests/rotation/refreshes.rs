//! No page ever sends more refreshes than allowed.

use std::{cell::RefCell, collections::BTreeSet};

use proptest::{prelude::*, test_runner::TestCaseError};

use crate::{
    allowance::{AHEAD, Cause, Refresh, causes, most_at_once},
    plan::{Network, Plan, Setup, any_browser, plan, quiet, refreshing, with_the_lock},
    play::Life,
    shared::Lock,
    try_all,
};

#[test]
fn each_refresh_has_a_cause() {
    let seen = each_has_a_cause(plan(any_browser(), refreshing()), |_| Ok(()));
    assert!(seen.contains(&Cause::Superseded));
}

#[test]
fn with_the_lock_there_is_one_at_a_time_in_all_tabs_together() {
    let seen = each_has_a_cause(plan(with_the_lock(), refreshing()), |life| {
        prop_assert!(most_at_once(&life.browser.journal()) <= 1);
        Ok(())
    });
    assert!(
        !seen.contains(&Cause::Superseded),
        "no token is ever under way twice"
    );
}

/// Checks that each refresh has a cause, and returns all causes that occurred.
fn each_has_a_cause(
    plans: impl Strategy<Value = Plan>,
    property: fn(&Life) -> Result<(), TestCaseError>,
) -> BTreeSet<Cause> {
    let seen = RefCell::<BTreeSet<Cause>>::default();
    try_all(plans, |plan| {
        let life = Life::of(plan);
        let refreshes = causes(&life.browser.journal()).map_err(TestCaseError::fail)?;
        seen.borrow_mut()
            .extend(refreshes.iter().map(|refresh| refresh.cause));
        property(&life)
    });
    for cause in [
        Cause::Loaded,
        Cause::Unstowed,
        Cause::Wanted,
        Cause::Looked,
        Cause::Failed,
        Cause::AheadOfTime,
    ] {
        assert!(seen.borrow().contains(&cause), "{cause:?} never occurred");
    }
    seen.into_inner()
}

/// If the lock works and all messages arrive, the first page that refreshes does so for all.
#[test]
fn where_everything_works_each_expiry_costs_one() {
    let browsers = (1..=6_usize, any::<bool>()).prop_map(|(tabs, spread)| Setup {
        tabs,
        lock: Lock::Works,
        channel: true,
        spread,
        network: Network::Prompt,
    });
    try_all(plan(browsers, quiet()), |plan| {
        let life = Life::of(plan);
        let refreshes = causes(&life.browser.journal()).map_err(TestCaseError::fail)?;
        for (index, refresh) in refreshes.iter().enumerate() {
            if refresh.cause == Cause::AheadOfTime {
                one_for_all(*refresh, &refreshes[..index])?;
            }
        }
        Ok(())
    });
}

/// No page has refreshed within the last lifetime. Exception: if two refreshes are due at the same time, the second
/// begins before it can receive the message about the first.
fn one_for_all(refresh: Refresh, before: &[Refresh]) -> Result<(), TestCaseError> {
    let in_vain = before.iter().filter(|earlier| refresh.at < earlier.at + AHEAD);
    let (same_instant, sooner): (Vec<&Refresh>, Vec<&Refresh>) =
        in_vain.partition(|earlier| earlier.at == refresh.at);
    prop_assert!(same_instant.len() <= 1, "{refresh:?} after {same_instant:?}");
    prop_assert!(sooner.is_empty(), "{refresh:?} after {sooner:?}");
    Ok(())
}
