//! What the manager needs from the outside world. `frontend` implements these with the browser, tests with fakes.

use std::{any::Any, cell::Cell, fmt, future::ready, rc::Rc, time::Duration};

use futures::future::LocalBoxFuture;

use crate::News;
pub use crate::http::{ApiRequest, ApiResponse, Method};

/// No answer came: offline, timed out, or cut off before the end of the body. Whether the server acted is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransportError;

/// Sends requests to our own origin.
///
/// An implementation
/// - sends the header `X-Requested-With: keyturn` (`api_types::header`) with **every** request: refresh and logout,
///   which a cookie authenticates, are refused without it, because no form of another site can send it;
/// - sends cookies to this origin and to no other, follows no redirect and uses no cache;
/// - gives up by itself after a while (15 s is a good bound): the manager has one queue, and a request that never
///   ends would hold it up;
/// - logs neither bodies nor the bearer.
pub trait Transport {
    /// Sends one request and reads the whole answer.
    ///
    /// # Errors
    ///
    /// The future yields [`TransportError`] if no complete answer came. Any status is an answer.
    fn send(&self, request: ApiRequest) -> LocalBoxFuture<'static, Result<ApiResponse, TransportError>>;
}

/// Wakes the manager up later.
pub trait Timer {
    /// Ends after about `duration`. It may end early (a browser cannot wait longer than 24.8 days at once) and much
    /// too late (a sleeping laptop): the manager looks at the [`Clock`] when it wakes. Dropping the future cancels it.
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()>;
}

/// A monotonic clock: time since some fixed moment. Never the wall clock, which people and networks set wrong.
pub trait Clock {
    /// The time now.
    fn now(&self) -> Duration;
}

/// Randomness for spreading retries. Nothing secret is made from it.
pub trait Jitter {
    /// A number in `0.0..1.0`.
    fn next(&self) -> f64;
}

/// What a tab holds while it has its turn. Dropping it ends the turn.
pub type Turn = Box<dyn Any>;

/// Which of the two locks that all tabs of this browser share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    /// Requested first, by every tab.
    First,
    /// Requested by tabs whose wait for [`Queue::First`] timed out. They still go one at a time.
    Overflow,
}

/// One turn at a time for all tabs of this browser: the Web Locks API, or nothing.
///
/// This is an optimisation; correctness never depends on it. The manager waits for a bounded time and then goes on
/// without: a tab that was frozen, or killed in some half-dead way, must not hold up the others.
pub trait TabLock {
    /// Waits for a turn at this lock, for as long as it takes. `None` where there are no locks. Dropping the future
    /// gives up the place in the queue.
    fn turn(&self, queue: Queue) -> LocalBoxFuture<'static, Option<Turn>>;
}

/// What tabs tell each other: `BroadcastChannel`, or nothing. Messages may be late, lost, doubled or out of order: the
/// manager takes them for hints, and asks the server.
pub trait TabChannel {
    /// Tells all other tabs. [`News::to_text`] is what should travel.
    fn tell(&self, news: &News);

    /// Calls `hear` with what other tabs tell, for as long as this page lives. Called once.
    fn listen(&self, hear: Box<dyn Fn(News)>);

    /// Whether other tabs can be heard at all. If not, the manager asks the server whenever the page is shown again.
    fn is_open(&self) -> bool;
}

/// A mark that says that somebody signed out and the server has not confirmed it yet. All tabs see it and it outlives
/// them: `localStorage`. It is not a secret and holds no id: that it is there is all it says.
///
/// Where nothing can be stored, an implementation remembers for as long as the page lives.
pub trait SignOutMarker {
    /// Whether the mark is there now, whichever tab made it.
    fn is_set(&self) -> bool;
    /// Makes the mark, or removes it.
    fn set(&self, there: bool);
}

/// A moment at which this page had better look around.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wakeup {
    /// The page is shown again: its tab was chosen, its window came to the front, or the laptop was opened.
    Shown,
    /// The browser says that it has a network.
    Online,
    /// The [`SignOutMarker`] was made or removed by another tab.
    Marked,
    /// The page is left and may be kept as it is (`pagehide` with `persisted`). What is private must go now: the browser
    /// shows a kept page before any script of it runs.
    Stowed,
    /// The page was kept and is shown again, by the back button perhaps (`pageshow` with `persisted`).
    Unstowed,
}

/// Tells of [`Wakeup`]s.
pub trait Wakeups {
    /// Calls `wake` at each, for as long as this page lives. Called once.
    fn listen(&self, wake: Box<dyn Fn(Wakeup)>);
}

/// All ports together.
#[derive(Clone)]
pub struct Ports {
    /// HTTP.
    pub transport: Rc<dyn Transport>,
    /// Waiting.
    pub timer: Rc<dyn Timer>,
    /// Time.
    pub clock: Rc<dyn Clock>,
    /// Randomness.
    pub jitter: Rc<dyn Jitter>,
    /// One turn at a time for all tabs.
    pub lock: Rc<dyn TabLock>,
    /// What tabs tell each other.
    pub channel: Rc<dyn TabChannel>,
    /// A sign-out that is not finished.
    pub marker: Rc<dyn SignOutMarker>,
    /// When to look around.
    pub wakeups: Rc<dyn Wakeups>,
}

/// The ports to other tabs, and to the browser's events, where there are none: one page alone that nothing disturbs.
#[derive(Debug, Default)]
pub struct Alone {
    marked: Cell<bool>,
}

impl TabLock for Alone {
    fn turn(&self, _: Queue) -> LocalBoxFuture<'static, Option<Turn>> {
        Box::pin(ready(None))
    }
}

impl TabChannel for Alone {
    fn tell(&self, _: &News) {}

    fn listen(&self, _: Box<dyn Fn(News)>) {}

    fn is_open(&self) -> bool {
        true
    }
}

impl SignOutMarker for Alone {
    fn is_set(&self) -> bool {
        self.marked.get()
    }

    fn set(&self, there: bool) {
        self.marked.set(there);
    }
}

impl Wakeups for Alone {
    fn listen(&self, _: Box<dyn Fn(Wakeup)>) {}
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}
