//! Each guard is necessary: without it the checker finds a violation of the named invariant.
//!
//! Some guards back each other up. Then removing a single one breaks nothing, which is tested too, and removing all of
//! them does.

use stateright::{Checker, HasDiscoveries, Model};

use crate::{
    guard::{Guard, Missing},
    model::Keyturn,
    property::Invariant,
    scenario::Scenario,
    state::Ration,
    trace::story,
};

/// Asserts that the invariant fails without these guards, and holds with any one of them back in place.
fn needs(scenario: Scenario, guards: &[Guard], invariant: Invariant) {
    let found = find(scenario, guards, invariant);
    let Some(story) = found else {
        panic!("{invariant:?} holds without {guards:?} in “{}”", scenario.name);
    };
    println!("without {guards:?}: {}\n{story}", invariant.name());
    if guards.len() > 1 {
        for &kept in guards {
            let others: Vec<Guard> = guards.iter().copied().filter(|&guard| guard != kept).collect();
            holds(scenario, &others, invariant);
        }
    }
}

/// Asserts that the invariant still holds without these guards.
fn holds(scenario: Scenario, guards: &[Guard], invariant: Invariant) {
    let found = find(scenario, guards, invariant);
    assert!(
        found.is_none(),
        "{invariant:?} falls without {guards:?} alone:\n{found:#?}"
    );
}

/// A way to break the invariant, if there is one.
fn find(scenario: Scenario, guards: &[Guard], invariant: Invariant) -> Option<String> {
    let model = Keyturn {
        scenario,
        missing: Missing::these(guards),
    };
    let wanted = std::collections::BTreeSet::from([invariant.name()]);
    let checker = model
        .checker()
        .threads(2)
        .finish_when(HasDiscoveries::AllOf(wanted))
        .spawn_bfs()
        .join();
    let path = checker.discovery(invariant.name())?;
    Some(story(checker.model(), path))
}

macro_rules! guards {
    ($($test:ident: $scenario:ident without [$($guard:ident)+] breaks $invariant:ident;)*) => {
        $(
            #[test]
            fn $test() {
                needs(Scenario::$scenario, &[$(Guard::$guard),+], Invariant::$invariant);
            }
        )*
    };
}

guards! {
    // Inputs of `decide`.
    a_session_that_ended_is_over: LEAVING without [SeesEnd] breaks I6;
    a_theft_that_was_detected_stays_detected: THEFT without [SeesEnd] breaks L8;
    the_absolute_end_is_the_end: TIME without [SeesAbsoluteEnd] breaks I9;
    what_was_blacklisted_moments_ago_is_only_late: TABS without [SeesBlacklist] breaks L3;
    a_used_heir_ends_the_parents_time: THEFT without [SeesConfirmation] breaks I5;
    an_unused_heir_does_not: LOSSES without [ForgivesTheUnconfirmed] breaks L1;
    what_is_pending_counts: THEFT without [ConsultsPending] breaks I5;
    time_is_measured_as_a_distance: STEPS without [MeasuresDistance] breaks I5;

    a_parent_is_late_within_the_grace_of_its_successors_use: WAKING without [ParentMayBeStale] breaks L10;
    an_ancestor_is_late_for_as_long_after_its_successor: WAKING_ANCESTOR without [CountsFromTheSuccessor] breaks L10;
    a_token_newer_than_its_row_is_adopted: LOST without [RecoversLostWrites] breaks L9;
    also_if_the_rows_leaf_has_expired: LOST_DAYS without [RecoveryOutlivesTheIdleEnd] breaks L9;

    // Effects of the decision.
    a_reload_is_forgiven: RELOADS without [ParentIsForgiven] breaks L2;
    a_replay_is_the_same_token: TABS without [ReplayIsTheSameToken] breaks I2;
    a_replay_is_signed_with_its_own_key: KEYS without [ReplayKeepsItsKey] breaks I2;
    a_stale_token_yields_nothing: THEFT without [StaleGivesNothing] breaks I4;
    a_reused_token_yields_nothing: THEFT without [ReuseGivesNothing] breaks I4;
    nor_does_a_parent: THEFT without [ReuseGivesNothing] breaks I5;
    reuse_ends_the_session: THEFT without [ReuseEndsTheSession] breaks I5;
    also_an_ancestors: THEFT without [ReuseEndsTheSession] breaks I4;
    reuse_ends_no_other_session: THEFT without [ReuseEndsOnlyThisSession] breaks I8;

    // Conditions of the `UPDATE`.
    the_update_compares_the_leaf: TABS without [UpdateComparesLiveToken] breaks L3;
    so_that_there_is_one_live_leaf: RACE without [UpdateComparesLiveToken InsertMustSucceed] breaks I1;
    and_a_token_is_consumed_once: RACE without [UpdateComparesLiveToken InsertMustSucceed] breaks I3;
    the_update_compares_the_end: LEAVING without [UpdateComparesEnd InsertMustSucceed] breaks I6;
    an_adoption_compares_the_leaf: LOST_RACE without [UpdateComparesLiveToken InsertMustSucceed] breaks I3;
    a_blacklisted_token_is_not_adopted: RESTORED without [RecoverySeesBlacklist] breaks I3;
    an_outdated_leaf_is_blacklisted: LOST_RESTORED without [RecoveryBlacklistsTheLeaf] breaks I12;
    the_insert_must_succeed: RESTORED without [InsertMustSucceed] breaks I12;
    the_end_blacklists_the_leaf: RESTORED without [EndBlacklistsTheLeaf] breaks I6;
    the_commit_comes_first: CRASHES without [CommitComesFirst] breaks L4;
    also_that_of_a_logout: LEAVING without [CommitComesFirst] breaks I6;

    // The code around the decision.
    the_signature_is_checked_first: FORGERY without [SignatureIsCheckedFirst] breaks I11;
    pruning_spares_the_unexpired: PRUNING without [PruneSparesTheUnexpired] breaks L3;
    the_blacklist_outlives_the_process: CRASHES without [BlacklistOutlivesTheProcess] breaks L4;

    // The response and the client.
    a_409_keeps_the_cookie: TABS without [StaleKeepsCookie] breaks L3;
    a_503_keeps_the_cookie: CRASHES without [UnavailableKeepsCookie] breaks L5;
    the_victim_is_told_why: THEFT without [EndNamesItsReason] breaks L8;
    the_client_queues: LEAVING without [ClientQueues] breaks L7;
    a_logout_is_not_undone: LEAVING without [SeesEnd] breaks L6;

    // Guards that back each other up.
    a_rotation_after_an_epoch_bump: EPOCH_BUMP without [UpdateComparesEnd UpdateComparesOwner InsertMustSucceed] breaks I7;
    an_older_epoch_is_over: EPOCH_BUMP without [EpochBumpEndsSessions SeesEpoch] breaks I7;
    a_disabled_account_is_over: DISABLED without [EpochBumpEndsSessions SeesEpoch SeesDisabled] breaks I7;
    a_sign_in_checks_again: EPOCH_BUMP without [SignInChecksAgain SeesEpoch UpdateComparesOwner] breaks I7;
    the_row_decides_and_not_the_blacklist: PRUNING_THEFT without [RowDecides PruneSparesTheUnexpired] breaks I13;
    kinds_are_told_apart_by_typ: FORGERY without [KeysAreApart ClaimsDiffer AudiencesDiffer] breaks I10;
    by_key: FORGERY without [TypNamesTheKind ClaimsDiffer AudiencesDiffer] breaks I10;
    by_claims: FORGERY without [TypNamesTheKind KeysAreApart AudiencesDiffer] breaks I10;
    and_by_audience: FORGERY without [TypNamesTheKind KeysAreApart ClaimsDiffer] breaks I10;
    an_expired_token_is_refused: IDLE without [ExpiryIsCheckedFirst] breaks I9;
}

/// The signed `exp` is never later than the row's expiry. A token that passed the first check therefore never reaches
/// these two.
#[test]
fn the_rows_expiry_stands_behind_the_tokens() {
    let guards = [Guard::SeesExpiry, Guard::UpdateComparesExpiry];
    holds(Scenario::IDLE, &guards, Invariant::I9);
}

impl Scenario {
    const RACE: Self = Self {
        name: "two refreshes at once",
        budget: &[(Ration::Refresh, 2)],
        ..Self::TABS
    };

    const IDLE: Self = Self {
        name: "a token that was not used for too long",
        budget: &[(Ration::Refresh, 2), (Ration::Days, 2)],
        ..Self::TIME
    };

    const STEPS: Self = Self {
        name: "a clock that is set back",
        budget: &[
            (Ration::Refresh, 1),
            (Ration::Use, 1),
            (Ration::Theft, 1),
            (Ration::Attack, 1),
            (Ration::ClockStep, 1),
        ],
        ..Self::TIME
    };

    const KEYS: Self = Self {
        name: "a new key between two answers",
        budget: &[(Ration::Refresh, 2), (Ration::NewKey, 1)],
        ..Self::TIME
    };

    const PRUNING: Self = Self {
        name: "three tabs, and pruning",
        budget: &[(Ration::Refresh, 3), (Ration::Prune, 1)],
        ..Self::TABS
    };

    const PRUNING_THEFT: Self = Self {
        name: "a thief, and pruning",
        budget: &[
            (Ration::Refresh, 2),
            (Ration::Theft, 1),
            (Ration::Attack, 1),
            (Ration::Prune, 1),
            (Ration::Minute, 1),
        ],
        ..Self::THEFT
    };

    const EPOCH_BUMP: Self = Self {
        name: "logout everywhere",
        budget: &[(Ration::Refresh, 2), (Ration::SignIn, 1), (Ration::EpochBump, 1)],
        ..Self::EPOCH
    };

    const WAKING: Self = Self {
        name: "two tabs that wake up together",
        budget: &[
            (Ration::Refresh, 3),
            (Ration::Use, 1),
            (Ration::Loss, 1),
            (Ration::Minute, 1),
        ],
        honest: &[Invariant::L10],
        ..Self::MENDED
    };

    const WAKING_ANCESTOR: Self = Self {
        name: "the same one generation later",
        budget: &[(Ration::Refresh, 4), (Ration::Loss, 1), (Ration::Minute, 1)],
        ..Self::WAKING
    };

    const LOST_RACE: Self = Self {
        name: "two tabs with the newest token after a fail-over",
        tabs: 2,
        budget: &[(Ration::Refresh, 3), (Ration::FailOver, 1)],
        honest: &[],
        one_at_a_time: false,
        ..Self::LOST
    };

    const LOST_RESTORED: Self = Self {
        name: "a fail-over, and then a row from an old copy",
        budget: &[
            (Ration::Refresh, 2),
            (Ration::Theft, 1),
            (Ration::Attack, 1),
            (Ration::FailOver, 1),
            (Ration::Restore, 1),
        ],
        ..Self::LOST_THEFT
    };

    const DISABLED: Self = Self {
        name: "an account that is disabled",
        budget: &[(Ration::Refresh, 2), (Ration::Disable, 1)],
        ..Self::EPOCH
    };
}
