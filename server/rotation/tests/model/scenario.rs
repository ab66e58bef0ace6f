//! Several small worlds instead of a big one: each contains just what its question needs.

use crate::{
    property::{Invariant, Sight},
    state::Ration,
};

#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a separate question")]
pub(crate) struct Scenario {
    pub name: &'static str,
    pub tabs: u8,
    pub budget: &'static [(Ration, u8)],
    /// Invariants that must keep the user signed in. Set only in scenarios without an attacker or a client fault.
    pub honest: &'static [Invariant],
    /// The client makes a sign-in wait for its refreshes, and refreshes wait for a sign-in.
    pub queue: bool,
    /// The browser's requests and responses may take longer than the grace period.
    pub slow: bool,
    /// A response may arrive after one with a newer token.
    pub overtaking: bool,
    /// The browser sends no refresh while an earlier one is undecided, even if its client has disconnected.
    pub one_at_a_time: bool,
    /// A second process serves requests as well.
    pub two_nodes: bool,
    pub sights: &'static [Sight],
    /// The minimum number of states. Fewer mean that something has become unreachable.
    pub floor: usize,
}

impl Scenario {
    const BARE: Self = Self {
        name: "",
        tabs: 2,
        budget: &[],
        honest: &[],
        queue: true,
        slow: false,
        overtaking: false,
        one_at_a_time: false,
        two_nodes: false,
        sights: &[Sight::Rotated],
        floor: 100,
    };

    /// Within the grace period, in any order.
    pub(crate) const TABS: Self = Self {
        name: "three tabs, one jar",
        tabs: 3,
        budget: &[
            (Ration::Refresh, 4),
            (Ration::Use, 1),
            (Ration::Loss, 2),
            (Ration::Duplicate, 1),
        ],
        honest: &[Invariant::L2, Invariant::L3],
        sights: &[Sight::Rotated, Sight::Replayed, Sight::Stale, Sight::LostARound],
        floor: 300_000,
        ..Self::BARE
    };

    /// Within the grace period, one page that never waits for its response.
    pub(crate) const RELOADS: Self = Self {
        name: "one tab, reloaded again and again",
        tabs: 1,
        budget: &[(Ration::Refresh, 7), (Ration::Use, 1), (Ration::Loss, 7)],
        honest: &[Invariant::L1, Invariant::L2],
        sights: &[Sight::Rotated, Sight::LostARound],
        floor: 40_000,
        ..Self::BARE
    };

    /// Many losses in a row, each as long ago as possible.
    pub(crate) const LOSSES: Self = Self {
        name: "lost answers, crashes and outages, one request at a time",
        tabs: 1,
        budget: &[
            (Ration::Refresh, 6),
            (Ration::Use, 2),
            (Ration::Loss, 5),
            (Ration::Minute, 2),
            (Ration::Crash, 1),
            (Ration::Outage, 1),
        ],
        honest: &[Invariant::L1, Invariant::L4, Invariant::L5],
        one_at_a_time: true,
        sights: &[Sight::Rotated, Sight::Unavailable],
        floor: 60_000,
        ..Self::BARE
    };

    pub(crate) const CRASHES: Self = Self {
        name: "two tabs, crashes and outages",
        budget: &[
            (Ration::Refresh, 4),
            (Ration::Use, 1),
            (Ration::Loss, 1),
            (Ration::Crash, 2),
            (Ration::Outage, 1),
        ],
        honest: &[Invariant::L1, Invariant::L4, Invariant::L5],
        sights: &[Sight::Rotated, Sight::Replayed, Sight::Stale, Sight::Unavailable],
        floor: 25_000,
        ..Self::BARE
    };

    /// Lost responses, several requests at a time, and time. Each response may wait longer than the grace period before
    /// it is used.
    pub(crate) const MENDED: Self = Self {
        name: "three tabs that wake up together",
        tabs: 3,
        budget: &[
            (Ration::Refresh, 4),
            (Ration::Use, 2),
            (Ration::Loss, 2),
            (Ration::Minute, 2),
        ],
        honest: &[Invariant::L1, Invariant::L2, Invariant::L3, Invariant::L10],
        sights: &[Sight::Rotated, Sight::Replayed, Sight::Stale, Sight::LostARound],
        floor: 80_000,
        ..Self::BARE
    };

    /// Like `MENDED`, with crashes, outages and a second process that has not seen the first uses.
    pub(crate) const MENDED_CRASH: Self = Self {
        name: "two tabs that wake up together, crashes, outages and two nodes",
        tabs: 2,
        budget: &[
            (Ration::Refresh, 4),
            (Ration::Use, 1),
            (Ration::Loss, 1),
            (Ration::Minute, 1),
            (Ration::Crash, 1),
            (Ration::Outage, 1),
        ],
        honest: &[Invariant::L1, Invariant::L4, Invariant::L5, Invariant::L10],
        two_nodes: true,
        sights: &[Sight::Rotated, Sight::Replayed, Sight::Stale, Sight::Unavailable],
        floor: 20_000,
        ..Self::BARE
    };

    pub(crate) const THEFT: Self = Self {
        name: "three tabs and a thief",
        tabs: 3,
        budget: &[
            (Ration::Refresh, 3),
            (Ration::Use, 1),
            (Ration::Theft, 1),
            (Ration::Attack, 2),
            (Ration::Minute, 2),
        ],
        slow: true,
        overtaking: true,
        two_nodes: true,
        sights: &[
            Sight::Rotated,
            Sight::Replayed,
            Sight::Stale,
            Sight::Reuse,
            Sight::Over,
            Sight::LostARound,
        ],
        floor: 500_000,
        ..Self::BARE
    };

    pub(crate) const MENDED_THEFT: Self = Self {
        name: "three tabs that wake up together, and a thief",
        budget: &[
            (Ration::Refresh, 3),
            (Ration::Use, 1),
            (Ration::Theft, 1),
            (Ration::Attack, 2),
            (Ration::Loss, 1),
            (Ration::Minute, 1),
        ],
        floor: 100_000,
        ..Self::THEFT
    };

    /// Two failovers, each to a replica that lags by any number of rotations, or to a backup.
    pub(crate) const LOST: Self = Self {
        name: "lost writes, lost answers and crashes, one request at a time",
        tabs: 2,
        budget: &[
            (Ration::Refresh, 5),
            (Ration::Use, 2),
            (Ration::Loss, 2),
            (Ration::Minute, 1),
            (Ration::Crash, 1),
            (Ration::Replicate, 1),
            (Ration::FailOver, 2),
        ],
        honest: &[Invariant::L1, Invariant::L4, Invariant::L9],
        one_at_a_time: true,
        two_nodes: true,
        sights: &[
            Sight::Rotated,
            Sight::Behind,
            Sight::Recovered,
            Sight::Unavailable,
        ],
        floor: 50_000,
        ..Self::BARE
    };

    /// An old backup: the row's token has expired, but the newest token has not.
    pub(crate) const LOST_DAYS: Self = Self {
        name: "a backup that is older than the idle lifetime",
        tabs: 1,
        budget: &[(Ration::Refresh, 4), (Ration::Days, 2), (Ration::FailOver, 1)],
        honest: &[Invariant::L9],
        one_at_a_time: true,
        sights: &[Sight::Rotated, Sight::Behind, Sight::Recovered],
        floor: 100,
        ..Self::BARE
    };

    pub(crate) const LOST_THEFT: Self = Self {
        name: "lost writes, two nodes and a thief with a token of the lost branch",
        budget: &[
            (Ration::Refresh, 3),
            (Ration::Use, 1),
            (Ration::Theft, 1),
            (Ration::Attack, 2),
            (Ration::Minute, 1),
            (Ration::FailOver, 1),
        ],
        slow: true,
        overtaking: true,
        two_nodes: true,
        sights: &[
            Sight::Rotated,
            Sight::Behind,
            Sight::Recovered,
            Sight::LostBranchRefused,
            Sight::Reuse,
        ],
        floor: 100_000,
        ..Self::BARE
    };

    pub(crate) const LEAVING: Self = Self {
        name: "logout and sign-in",
        budget: &[
            (Ration::Refresh, 3),
            (Ration::Loss, 1),
            (Ration::SignOut, 1),
            (Ration::SignIn, 1),
            (Ration::Crash, 1),
            (Ration::Theft, 1),
            (Ration::Attack, 1),
        ],
        slow: true,
        overtaking: true,
        sights: &[Sight::Rotated, Sight::Over, Sight::SignedOut, Sight::SignedIn],
        floor: 250_000,
        ..Self::BARE
    };

    pub(crate) const EPOCH: Self = Self {
        name: "logout everywhere, password change, disabling",
        budget: &[
            (Ration::Refresh, 3),
            (Ration::SignIn, 1),
            (Ration::EpochBump, 1),
            (Ration::Disable, 1),
            (Ration::Theft, 1),
            (Ration::Attack, 2),
        ],
        slow: true,
        overtaking: true,
        sights: &[Sight::Rotated, Sight::Over, Sight::SignedIn],
        floor: 100_000,
        ..Self::BARE
    };

    pub(crate) const TIME: Self = Self {
        name: "days, clock steps, new keys, pruning, restarts",
        budget: &[
            (Ration::Refresh, 2),
            (Ration::Use, 1),
            (Ration::Theft, 1),
            (Ration::Attack, 1),
            (Ration::Days, 2),
            (Ration::ClockStep, 1),
            (Ration::NewKey, 1),
            (Ration::Prune, 1),
            (Ration::Crash, 1),
        ],
        slow: true,
        overtaking: true,
        sights: &[Sight::Rotated, Sight::Reuse, Sight::Over, Sight::Pruned],
        floor: 600_000,
        ..Self::BARE
    };

    pub(crate) const FORGERY: Self = Self {
        name: "forged and confused tokens",
        budget: &[
            (Ration::Refresh, 3),
            (Ration::Use, 1),
            (Ration::Theft, 2),
            (Ration::Forgery, 2),
            (Ration::Confusion, 1),
            (Ration::Minute, 1),
        ],
        slow: true,
        overtaking: true,
        floor: 15_000,
        ..Self::BARE
    };

    pub(crate) const RESTORED: Self = Self {
        name: "a row from an old copy",
        budget: &[
            (Ration::Refresh, 2),
            (Ration::SignOut, 1),
            (Ration::Restore, 1),
            (Ration::Theft, 1),
            (Ration::Attack, 2),
            (Ration::Minute, 1),
        ],
        slow: true,
        overtaking: true,
        sights: &[Sight::Rotated, Sight::Reuse, Sight::SignedOut],
        floor: 90_000,
        ..Self::BARE
    };
}
