//! No one is ever signed out by mistake: L1 to L3 and L5 of the specification, with the real client.

use std::{cell::RefCell, collections::BTreeSet};

use proptest::{prelude::*, test_runner::TestCaseError};
use session_client::SessionView;

use crate::{
    keyturn::{Gap, Sight},
    plan::{Plan, any_browser, plan, refreshing, with_the_lock},
    play::Life,
    try_all,
};

/// If the lock works, no gap occurs: no token is ever under way twice.
#[test]
fn with_the_lock_nobody_is_ever_signed_out() {
    let seen = nobody_is_signed_out(plan(with_the_lock(), refreshing()));
    assert_eq!(seen, [Sight::Rotated, Sight::Replayed].into());
}

#[test]
fn without_it_nobody_is_signed_out_but_for_the_gaps() {
    let seen = nobody_is_signed_out(plan(any_browser(), refreshing()));
    let must_occur = [
        Sight::Rotated,
        Sight::Replayed,
        Sight::Stale,
        Sight::Spared(Gap::Stuck),
        Sight::Spared(Gap::Overtaken),
    ];
    assert_eq!(seen, must_occur.into());
}

/// Returns every outcome of a refresh that occurred on the server.
fn nobody_is_signed_out(plans: impl Strategy<Value = Plan>) -> BTreeSet<Sight> {
    let seen = RefCell::<BTreeSet<Sight>>::default();
    try_all(plans, |plan| {
        let life = Life::of(plan);
        let browser = &life.browser;
        seen.borrow_mut()
            .extend(browser.on_server(|server| server.sights.clone()));
        ada_is_signed_in(&life)
    });
    seen.into_inner()
}

fn ada_is_signed_in(life: &Life) -> Result<(), TestCaseError> {
    let browser = &life.browser;
    prop_assert!(
        !browser.on_server(|server| server.sights.contains(&Sight::Reuse)),
        "a theft was seen"
    );
    prop_assert_eq!(browser.alive(), 1);
    prop_assert_eq!(browser.jar_leads_to(), Some("ada".into()));
    for tab in 0..browser.tabs() {
        let out = browser
            .views(tab)
            .into_iter()
            .find(|view| matches!(view, SessionView::Anonymous { .. }));
        prop_assert_eq!(out, None, "tab {}", tab);
    }
    for tab in browser.open_tabs() {
        prop_assert_eq!(browser.shown(tab), Some("ada".into()), "tab {}", tab);
    }
    Ok(())
}
