//! The possible actions in a browser, and the strategies that generate plans.

use std::time::Duration;

use proptest::{collection::vec, prelude::*, sample::select};
use session_client::BrowserEvent;

use crate::shared::{LockBehaviour, secs};

/// A browser and the actions in it.
#[derive(Debug, Clone)]
pub(crate) struct TestPlan {
    pub(crate) browser: BrowserSetup,
    pub(crate) actions: Vec<BrowserAction>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct BrowserSetup {
    /// Number of tabs that are opened together at the start.
    pub(crate) tabs: usize,
    pub(crate) lock: LockBehaviour,
    pub(crate) channel: bool,
    /// Tabs have different jitters. Otherwise all refreshes are due at the same time.
    pub(crate) spread: bool,
    pub(crate) network: Network,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    /// No wait for the lock times out, and a request of a closed page has arrived or never will. Otherwise the bounded
    /// wait, or the end of a page that held the lock, would put two refreshes under way at the same time.
    Prompt,
    /// Any message may arrive, except those in the gaps of the specification, which are lost on purpose.
    Bad,
}

/// Numbers of tabs, requests and messages wrap around, so that any number is valid.
#[derive(Debug, Clone)]
pub(crate) enum BrowserAction {
    Open,
    /// Its requests have arrived, or never will.
    Reload(usize),
    /// Its requests may still arrive.
    Abandon(usize),
    /// The page sends a request with the access token.
    SendRequest(usize),
    FireEvent(usize, BrowserEvent),

    Arrive(usize),
    Deliver(usize),
    /// The response's cookie arrives, its body does not.
    DeliverHeaders(usize),
    /// Loses the request, or the response if the request has arrived.
    Lose(usize),
    /// The server answers 503 and does nothing.
    RespondBusy(usize, Option<Duration>),

    DeliverMessage(usize),
    DuplicateMessage(usize),
    LoseMessage(usize),

    /// Time passes, and timers fire.
    Pass(Duration),
    /// Time passes, and every request and message is delivered immediately.
    RunFor(Duration),
    /// Time passes, and no timer fires until later.
    SkipTimers(Duration),
    /// The laptop's lid is closed and opened: all timers are late and fire together.
    Sleep(Duration),

    SignIn(usize, &'static str),
    SignOut(usize),
    /// All sessions of this user are ended from another device.
    RevokeAll(&'static str),
}

/// Number of a tab, a request or a message.
const NUMBER: std::ops::Range<usize> = 0..6;

/// The lock works, and no tab continues without it.
pub(crate) fn with_the_lock() -> impl Strategy<Value = BrowserSetup> {
    setup(Just(LockBehaviour::Works), Network::Prompt)
}

pub(crate) fn any_browser() -> impl Strategy<Value = BrowserSetup> {
    let locks = select(vec![
        LockBehaviour::Works,
        LockBehaviour::Missing,
        LockBehaviour::FirstStuck,
    ]);
    setup(locks, Network::Bad)
}

fn setup(
    lock: impl Strategy<Value = LockBehaviour>,
    network: Network,
) -> impl Strategy<Value = BrowserSetup> {
    let tabs = 1..=6_usize;
    (tabs, lock, any::<bool>(), any::<bool>()).prop_map(move |(tabs, lock, channel, spread)| BrowserSetup {
        tabs,
        lock,
        channel,
        spread,
        network,
    })
}

pub(crate) fn plan(
    browsers: impl Strategy<Value = BrowserSetup>,
    actions: impl Strategy<Value = BrowserAction>,
) -> impl Strategy<Value = TestPlan> {
    (browsers, vec(actions, 0..80)).prop_map(|(browser, actions)| TestPlan { browser, actions })
}

/// One user, who is never signed out.
pub(crate) fn refreshing() -> impl Strategy<Value = BrowserAction> {
    prop_oneof![
        3 => pages(),
        10 => requests(),
        2 => NUMBER.prop_map(BrowserAction::DeliverHeaders),
        4 => messages(),
        1 => NUMBER.prop_map(BrowserAction::LoseMessage),
        4 => time(),
    ]
}

/// Two users, who sign in and out. Every message is delivered, sooner or later.
pub(crate) fn signing_in_and_out() -> impl Strategy<Value = BrowserAction> {
    prop_oneof![
        2 => pages(),
        10 => requests(),
        5 => messages(),
        2 => time(),
        2 => (NUMBER, select(vec!["ada", "bob"])).prop_map(|(tab, name)| BrowserAction::SignIn(tab, name)),
        2 => NUMBER.prop_map(BrowserAction::SignOut),
        1 => select(vec!["ada", "bob"]).prop_map(BrowserAction::RevokeAll),
    ]
}

/// Everything works: only users and time act.
pub(crate) fn quiet() -> impl Strategy<Value = BrowserAction> {
    prop_oneof![
        1 => Just(BrowserAction::Open),
        3 => NUMBER.prop_map(BrowserAction::SendRequest),
        6 => select(vec![1, 60, 300, 840, 900]).prop_map(|time| BrowserAction::RunFor(secs(time))),
    ]
}

fn pages() -> impl Strategy<Value = BrowserAction> {
    let browser_events = select(vec![
        BrowserEvent::Visible,
        BrowserEvent::Online,
        BrowserEvent::EnteredBfcache,
        BrowserEvent::RestoredFromBfcache,
        BrowserEvent::MarkerChanged,
    ]);
    prop_oneof![
        1 => Just(BrowserAction::Open),
        2 => NUMBER.prop_map(BrowserAction::Reload),
        1 => NUMBER.prop_map(BrowserAction::Abandon),
        4 => NUMBER.prop_map(BrowserAction::SendRequest),
        5 => (NUMBER, browser_events).prop_map(|(tab, browser_event)| BrowserAction::FireEvent(tab, browser_event)),
    ]
}

fn requests() -> impl Strategy<Value = BrowserAction> {
    let retry_after = select(vec![None, Some(secs(2)), Some(secs(40))]);
    prop_oneof![
        3 => NUMBER.prop_map(BrowserAction::Arrive),
        6 => NUMBER.prop_map(BrowserAction::Deliver),
        2 => NUMBER.prop_map(BrowserAction::Lose),
        1 => (NUMBER, retry_after).prop_map(|(index, retry_after)| BrowserAction::RespondBusy(index, retry_after)),
    ]
}

fn messages() -> impl Strategy<Value = BrowserAction> {
    prop_oneof![
        4 => NUMBER.prop_map(BrowserAction::DeliverMessage),
        1 => NUMBER.prop_map(BrowserAction::DuplicateMessage),
    ]
}

fn time() -> impl Strategy<Value = BrowserAction> {
    let durations = vec![
        500, 1_000, 1_900, 3_000, 9_000, 11_000, 30_000, 60_000, 835_000, 900_000,
    ];
    let durations = select(durations).prop_map(Duration::from_millis);
    let periods = select(vec![1, 60, 840, 3_600]).prop_map(secs);
    let sleeps = select(vec![60, 900, 8 * 3_600]).prop_map(secs);
    prop_oneof![
        6 => durations.clone().prop_map(BrowserAction::Pass),
        2 => periods.prop_map(BrowserAction::RunFor),
        1 => durations.prop_map(BrowserAction::SkipTimers),
        1 => sleeps.prop_map(BrowserAction::Sleep),
    ]
}
