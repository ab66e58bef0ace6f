//! The steps of a history, and how a random one is generated.

use proptest::{collection::vec, prelude::*};

/// A history: one account, signed in on two devices, and a sequence of steps.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    /// No grace period.
    pub(crate) strict: bool,
    /// “Keep me signed in” on the laptop.
    pub(crate) remember: bool,
    /// The start time, in milliseconds after a whole second.
    pub(crate) fraction: i64,
    pub(crate) steps: Vec<PlannedStep>,
}

/// Each device has a separate session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Device {
    Laptop,
    Phone,
}

#[derive(Clone, Debug)]
pub(crate) enum PlannedStep {
    One(Device, PlannedAction),
    /// Sent together: they take effect in an arbitrary order.
    AtOnce(Vec<(Device, PlannedAction)>),
    /// Milliseconds.
    Wait(i64),
    /// Until this many milliseconds after the live token of this device expires.
    WaitForIdleEnd(Device, i64),
    /// Until this many milliseconds after the absolute end of the laptop's session.
    WaitForAbsoluteEnd(i64),
    /// The clock is set back by this many milliseconds.
    SetBack(i64),
    /// An access token of the live generation is used.
    Use(Device),
    /// Pending first uses are written.
    WriteUses,
    /// A new process on the same database. Unwritten first uses are lost, as in a crash.
    Restart,
    Enable,
    Prune,
    /// A newer master secret; the old one still verifies.
    RollKeys,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum PlannedAction {
    Present(Which),
    LogOut,
    Revoke,
    RevokeOthers,
    LogOutEverywhere,
    SetPassword,
    Disable,
}

/// One of the tokens that a session has had.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which {
    Live,
    Parent,
    /// An older token, counted from the oldest; the index wraps around.
    Ancestor(usize),
}

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 24 * 60 * MINUTE;

pub(crate) fn plans() -> impl Strategy<Value = Scenario> {
    let strict = prop::bool::weighted(0.1);
    let remember = prop::bool::weighted(0.8);
    (strict, remember, 0..1_000_i64, vec(step(), 3..=14)).prop_map(|(strict, remember, fraction, steps)| {
        Scenario {
            strict,
            remember,
            fraction,
            steps,
        }
    })
}

fn step() -> impl Strategy<Value = PlannedStep> {
    prop_oneof![
        40 => (device(), act()).prop_map(|(device, act)| PlannedStep::One(device, act)),
        10 => vec((device(), act()), 2..=4).prop_map(PlannedStep::AtOnce),
        18 => wait().prop_map(PlannedStep::Wait),
        2 => (device(), -1..=1_i64).prop_map(|(device, by)| PlannedStep::WaitForIdleEnd(device, by)),
        2 => prop_oneof![-1..=1_i64, DAY / 2..DAY].prop_map(PlannedStep::WaitForAbsoluteEnd),
        5 => prop_oneof![1..20 * SECOND, 1..=60 * MINUTE].prop_map(PlannedStep::SetBack),
        12 => device().prop_map(PlannedStep::Use),
        6 => Just(PlannedStep::WriteUses),
        1 => Just(PlannedStep::Restart),
        1 => Just(PlannedStep::Enable),
        2 => Just(PlannedStep::Prune),
        2 => Just(PlannedStep::RollKeys),
    ]
}

fn device() -> impl Strategy<Value = Device> {
    prop_oneof![4 => Just(Device::Laptop), 1 => Just(Device::Phone)]
}

fn act() -> impl Strategy<Value = PlannedAction> {
    prop_oneof![
        40 => Just(PlannedAction::Present(Which::Live)),
        20 => Just(PlannedAction::Present(Which::Parent)),
        14 => (0..8_usize).prop_map(|back| PlannedAction::Present(Which::Ancestor(back))),
        2 => Just(PlannedAction::LogOut),
        1 => Just(PlannedAction::Revoke),
        1 => Just(PlannedAction::RevokeOthers),
        1 => Just(PlannedAction::LogOutEverywhere),
        1 => Just(PlannedAction::SetPassword),
        1 => Just(PlannedAction::Disable),
    ]
}

/// The boundaries of the grace period to the millisecond, and durations from a millisecond to most of a week.
fn wait() -> impl Strategy<Value = i64> {
    let grace = 10 * SECOND;
    prop_oneof![
        4 => prop_oneof![Just(1), Just(grace - 1), Just(grace), Just(grace + 1)],
        4 => 1..2 * grace,
        3 => MINUTE..120 * MINUTE,
        2 => DAY / 2..6 * DAY,
    ]
}
