//! The guards of the design. The model can remove each of them.
//!
//! They are not in `rotation`, because production code has no such switches. A guard is removed by changing the input
//! or the result of the real `decide` (`judge.rs`), or a condition of the transaction around it (`server.rs`).

/// A mechanism without which an invariant fails, alone or together with another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    // Inputs of `decide`.
    SeesEnd,
    SeesEpoch,
    SeesDisabled,
    SeesExpiry,
    SeesAbsoluteEnd,
    SeesBlacklist,
    SeesConfirmation,
    ForgivesTheUnconfirmed,
    /// Pending first uses in the process count as confirmed.
    ConsultsPending,
    /// `|now − then|`, so that setting a clock back opens no window.
    MeasuresDistance,
    /// An ancestor is stale for the grace period after its successor's consumption, not after its own.
    CountsFromTheSuccessor,
    /// A parent is stale within the grace period after its successor's first use.
    ParentMayBeStale,
    /// A token that is newer than its row is adopted.
    RecoversLostWrites,
    /// Not if it is blacklisted.
    RecoverySeesBlacklist,
    /// Even if the row's token has expired since.
    RecoveryOutlivesTheIdleEnd,

    // Effects of the decision.
    ParentIsForgiven,
    ReplayIsTheSameToken,
    ReplayKeepsItsKey,
    StaleGivesNothing,
    ReuseGivesNothing,
    ReuseEndsTheSession,
    ReuseEndsOnlyThisSession,
    /// A token that is neither the live one nor its parent is dead, even if the blacklist does not contain it.
    RowDecides,

    // Conditions of the `UPDATE`, and its side effects.
    UpdateComparesLiveToken,
    UpdateComparesEnd,
    UpdateComparesOwner,
    UpdateComparesExpiry,
    InsertMustSucceed,
    EndBlacklistsTheLeaf,
    RecoveryBlacklistsTheLeaf,
    CommitComesFirst,

    // What distinguishes the two kinds of token.
    TypNamesTheKind,
    KeysAreApart,
    ClaimsDiffer,
    AudiencesDiffer,

    // The code around the decision.
    SignatureIsCheckedFirst,
    ExpiryIsCheckedFirst,
    SignInChecksAgain,
    EpochBumpEndsSessions,
    PruneSparesTheUnexpired,
    BlacklistOutlivesTheProcess,

    // The response and the client.
    StaleKeepsCookie,
    UnavailableKeepsCookie,
    EndNamesItsReason,
    ClientQueues,
}

/// A set of removed guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Missing(u64);

impl Missing {
    pub(crate) fn these(guards: &[Guard]) -> Self {
        Self(guards.iter().fold(0, |set, &guard| set | 1 << guard as u64))
    }

    pub(crate) fn has(self, guard: Guard) -> bool {
        self.0 & (1 << guard as u64) != 0
    }
}
