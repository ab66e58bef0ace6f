//! The guards of the design, each of which can be taken away in the model.
//!
//! Not in `rotation`: production code has no switches. A guard is taken away by changing what the real `decide` is
//! given or what becomes of its answer (`judge.rs`), or a condition of the transaction around it (`server.rs`).

/// Something without which an invariant falls, alone or together with another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    // What `decide` looks at.
    SeesEnd,
    SeesEpoch,
    SeesDisabled,
    SeesExpiry,
    SeesAbsoluteEnd,
    SeesBlacklist,
    SeesConfirmation,
    ForgivesTheUnconfirmed,
    /// What is pending in the process counts as confirmed.
    ConsultsPending,
    /// `|now − then|`, so that a clock that is set back opens nothing.
    MeasuresDistance,
    /// An ancestor is late for as long after its successor's consumption, not after its own.
    CountsFromTheSuccessor,
    /// A parent is late within the grace of its successor's first use.
    ParentMayBeStale,
    /// A token that is newer than its row is adopted.
    RecoversLostWrites,
    /// But not if it is blacklisted.
    RecoverySeesBlacklist,
    /// Also if the row's leaf has expired since.
    RecoveryOutlivesTheIdleEnd,

    // What becomes of its answer.
    ParentIsForgiven,
    ReplayIsTheSameToken,
    ReplayKeepsItsKey,
    StaleGivesNothing,
    ReuseGivesNothing,
    ReuseEndsTheSession,
    ReuseEndsOnlyThisSession,
    /// What is neither the live leaf nor its parent is dead, also when the blacklist knows nothing of it.
    RowDecides,

    // The conditions of the `UPDATE`, and what goes with it.
    UpdateComparesLeaf,
    UpdateComparesEnd,
    UpdateComparesOwner,
    UpdateComparesExpiry,
    InsertMustSucceed,
    EndBlacklistsTheLeaf,
    RecoveryBlacklistsTheLeaf,
    CommitComesFirst,

    // What tells the kinds of token apart.
    TypNamesTheKind,
    KeysAreApart,
    ClaimsDiffer,
    AudiencesDiffer,

    // Around it.
    SignatureIsCheckedFirst,
    ExpiryIsCheckedFirst,
    SignInChecksAgain,
    EpochBumpEndsSessions,
    PruneSparesTheUnexpired,
    BlacklistOutlivesTheProcess,

    // The answer and the client.
    StaleKeepsCookie,
    UnavailableKeepsCookie,
    EndNamesItsReason,
    ClientQueues,
}

/// A set of guards that are missing.
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
