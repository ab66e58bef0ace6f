//! The possible actions in a browser, and the strategies that generate plans.

use std::time::Duration;

use proptest::{collection::vec, prelude::*, sample::select};
use session_client::Wakeup;

use crate::shared::{Lock, secs};

/// A browser and the actions in it.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) browser: Setup,
    pub(crate) actions: Vec<Action>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    /// Number of tabs that are opened together at the start.
    pub(crate) tabs: usize,
    pub(crate) lock: Lock,
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
pub(crate) enum Action {
    Open,
    /// Its requests have arrived, or never will.
    Reload(usize),
    /// Its requests may still arrive.
    Leave(usize),
    /// The page sends a request with the access token.
    Want(usize),
    Wake(usize, Wakeup),

    Arrive(usize),
    Deliver(usize),
    /// The response's cookie arrives, its body does not.
    Cut(usize),
    /// Loses the request, or the response if the request has arrived.
    Lose(usize),
    /// The server answers 503 and does nothing.
    TurnAway(usize, Option<Duration>),

    Hear(usize),
    HearTwice(usize),
    Miss(usize),

    /// Time passes, and timers fire.
    Pass(Duration),
    /// Time passes, and every request and message is delivered immediately.
    Live(Duration),
    /// Time passes, and no timer fires until later.
    Doze(Duration),
    /// The laptop's lid is closed and opened: all timers are late and fire together.
    Sleep(Duration),

    SignIn(usize, &'static str),
    SignOut(usize),
    /// All sessions of this user are ended from another device.
    EndElsewhere(&'static str),
}

/// Number of a tab, a request or a message.
const NUMBER: std::ops::Range<usize> = 0..6;

/// The lock works, and no tab continues without it.
pub(crate) fn with_the_lock() -> impl Strategy<Value = Setup> {
    setup(Just(Lock::Works), Network::Prompt)
}

pub(crate) fn any_browser() -> impl Strategy<Value = Setup> {
    let locks = select(vec![Lock::Works, Lock::Missing, Lock::HeldByTheDead]);
    setup(locks, Network::Bad)
}

fn setup(lock: impl Strategy<Value = Lock>, network: Network) -> impl Strategy<Value = Setup> {
    let tabs = 1..=6_usize;
    (tabs, lock, any::<bool>(), any::<bool>()).prop_map(move |(tabs, lock, channel, spread)| Setup {
        tabs,
        lock,
        channel,
        spread,
        network,
    })
}

pub(crate) fn plan(
    browsers: impl Strategy<Value = Setup>,
    actions: impl Strategy<Value = Action>,
) -> impl Strategy<Value = Plan> {
    (browsers, vec(actions, 0..80)).prop_map(|(browser, actions)| Plan { browser, actions })
}

/// One user, who is never signed out.
pub(crate) fn refreshing() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => pages(),
        10 => requests(),
        2 => NUMBER.prop_map(Action::Cut),
        4 => news(),
        1 => NUMBER.prop_map(Action::Miss),
        4 => time(),
    ]
}

/// Two users, who sign in and out. Every message is delivered, sooner or later.
pub(crate) fn coming_and_going() -> impl Strategy<Value = Action> {
    prop_oneof![
        2 => pages(),
        10 => requests(),
        5 => news(),
        2 => time(),
        2 => (NUMBER, select(vec!["ada", "bob"])).prop_map(|(tab, name)| Action::SignIn(tab, name)),
        2 => NUMBER.prop_map(Action::SignOut),
        1 => select(vec!["ada", "bob"]).prop_map(Action::EndElsewhere),
    ]
}

/// Everything works: only users and time act.
pub(crate) fn quiet() -> impl Strategy<Value = Action> {
    prop_oneof![
        1 => Just(Action::Open),
        3 => NUMBER.prop_map(Action::Want),
        6 => select(vec![1, 60, 300, 840, 900]).prop_map(|time| Action::Live(secs(time))),
    ]
}

fn pages() -> impl Strategy<Value = Action> {
    let wakeups = select(vec![
        Wakeup::Shown,
        Wakeup::Online,
        Wakeup::Stowed,
        Wakeup::Unstowed,
        Wakeup::Marked,
    ]);
    prop_oneof![
        1 => Just(Action::Open),
        2 => NUMBER.prop_map(Action::Reload),
        1 => NUMBER.prop_map(Action::Leave),
        4 => NUMBER.prop_map(Action::Want),
        5 => (NUMBER, wakeups).prop_map(|(tab, wakeup)| Action::Wake(tab, wakeup)),
    ]
}

fn requests() -> impl Strategy<Value = Action> {
    let retry_after = select(vec![None, Some(secs(2)), Some(secs(40))]);
    prop_oneof![
        3 => NUMBER.prop_map(Action::Arrive),
        6 => NUMBER.prop_map(Action::Deliver),
        2 => NUMBER.prop_map(Action::Lose),
        1 => (NUMBER, retry_after).prop_map(|(index, retry_after)| Action::TurnAway(index, retry_after)),
    ]
}

fn news() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => NUMBER.prop_map(Action::Hear),
        1 => NUMBER.prop_map(Action::HearTwice),
    ]
}

fn time() -> impl Strategy<Value = Action> {
    let moments = vec![
        500, 1_000, 1_900, 3_000, 9_000, 11_000, 30_000, 60_000, 835_000, 900_000,
    ];
    let moments = select(moments).prop_map(Duration::from_millis);
    let lives = select(vec![1, 60, 840, 3_600]).prop_map(secs);
    let nights = select(vec![60, 900, 8 * 3_600]).prop_map(secs);
    prop_oneof![
        6 => moments.clone().prop_map(Action::Pass),
        2 => lives.prop_map(Action::Live),
        1 => moments.prop_map(Action::Doze),
        1 => nights.prop_map(Action::Sleep),
    ]
}
