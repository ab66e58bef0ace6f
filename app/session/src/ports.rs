//! The ports: what the manager needs from its environment. `frontend` implements them with the browser, tests with
//! fakes.

use std::{any::Any, cell::Cell, fmt, future::ready, rc::Rc, time::Duration};

use futures::future::LocalBoxFuture;

use crate::TabMessage;
pub use crate::http::{ApiRequest, ApiResponse, Method};

/// No complete response: offline, timeout, or cut off before the end of the body. Whether the server acted is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransportError;

/// Sends requests to our own origin.
///
/// An implementation
/// - sends the header `X-Requested-With: keyturn` (`api_types::header`) with **every** request. The server rejects
///   refresh and logout, which a cookie authenticates, without it, because no form of another site can send it;
/// - sends cookies only to this origin, follows no redirect and uses no cache;
/// - has a timeout (15 s is a good bound): the manager has one queue, and a request that never ends would block it;
/// - logs neither bodies nor the bearer token.
pub trait Transport {
    /// Sends one request and reads the complete response.
    ///
    /// # Errors
    ///
    /// The future yields [`TransportError`] if there was no complete response. Any status is a response.
    fn send(&self, request: ApiRequest) -> LocalBoxFuture<'static, Result<ApiResponse, TransportError>>;
}

/// Wakes the manager up later.
pub trait Timer {
    /// Completes after about `duration`. It may complete early (a browser cannot wait longer than 24.8 days in one
    /// timeout) and much too late (a sleeping laptop): the manager reads the [`Clock`] when it wakes. Dropping the
    /// future cancels it.
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()>;
}

/// A monotonic clock: time since some fixed moment. Never the wall clock, because users and networks set it wrong.
pub trait Clock {
    /// The time now.
    fn now(&self) -> Duration;
}

/// Randomness to spread retries. It must not produce secrets.
pub trait Jitter {
    /// A number in `0.0..1.0`.
    fn next(&self) -> f64;
}

/// A granted lock. Dropping it releases the lock.
pub type LockGuard = Box<dyn Any>;

/// Identifies one of the two locks that all tabs of this browser share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockName {
    /// Requested first, by every tab.
    First,
    /// Requested by tabs whose wait for [`LockName::First`] timed out. It still admits one tab at a time.
    Overflow,
}

/// Mutual exclusion between all tabs of this browser: the Web Locks API, or nothing.
///
/// This is an optimisation; correctness never depends on it. The manager waits for a bounded time and then continues
/// without the lock, because a frozen or crashed tab must not block the others.
pub trait TabLock {
    /// Waits for this lock without a timeout. `None` if there are no locks. Dropping the future cancels the request.
    fn acquire(&self, lock: LockName) -> LocalBoxFuture<'static, Option<LockGuard>>;
}

/// Messages between tabs: `BroadcastChannel`, or nothing. Messages may be late, lost, duplicated or out of order: the
/// manager treats them as hints, and asks the server.
pub trait TabChannel {
    /// Sends a message to all other tabs. [`TabMessage::to_text`] is the wire format.
    fn broadcast(&self, message: &TabMessage);

    /// Calls `on_message` for each message from other tabs, for as long as this page lives. Called once.
    fn listen(&self, on_message: Box<dyn Fn(TabMessage)>);

    /// Whether messages can be received at all. If not, a signed-in page asks the server each time it becomes visible.
    fn is_open(&self) -> bool;
}

/// Marker of a sign-out that the server has not confirmed yet. All tabs see it, and it outlives them: `localStorage`.
/// It is not a secret and holds no id; its presence is its only information.
///
/// If nothing can be stored, an implementation keeps it in memory for as long as the page lives.
pub trait SignOutMarker {
    /// Whether the marker is set now, by any tab.
    fn is_set(&self) -> bool;
    /// Sets or removes the marker.
    fn set(&self, present: bool);
}

/// A browser event after which the manager checks the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrowserEvent {
    /// The page is visible again: its tab was selected, its window came to the front, or the laptop was opened.
    Visible,
    /// The browser reports a network connection.
    Online,
    /// Another tab set or removed the [`SignOutMarker`].
    MarkerChanged,
    /// The user leaves the page, and the browser may keep it (`pagehide` with `persisted`). Private data must be
    /// cleared now: the browser shows a kept page before any of its scripts run.
    EnteredBfcache,
    /// The browser shows a kept page again, for example after the back button (`pageshow` with `persisted`).
    RestoredFromBfcache,
}

/// Source of [`BrowserEvent`] events.
pub trait BrowserEvents {
    /// Calls `on_event` for each event, for as long as this page lives. Called once.
    fn listen(&self, on_event: Box<dyn Fn(BrowserEvent)>);
}

/// All ports together.
#[derive(Clone)]
pub struct Ports {
    /// HTTP.
    pub transport: Rc<dyn Transport>,
    /// Timer.
    pub timer: Rc<dyn Timer>,
    /// Monotonic clock.
    pub clock: Rc<dyn Clock>,
    /// Randomness.
    pub jitter: Rc<dyn Jitter>,
    /// Mutual exclusion between tabs.
    pub lock: Rc<dyn TabLock>,
    /// Messages between tabs.
    pub channel: Rc<dyn TabChannel>,
    /// Marker of an unfinished sign-out.
    pub marker: Rc<dyn SignOutMarker>,
    /// Browser events.
    pub browser_events: Rc<dyn BrowserEvents>,
}

/// The ports for other tabs and browser events when there are none: a single page without any interruption.
#[derive(Debug, Default)]
pub struct SingleTab {
    marker_set: Cell<bool>,
}

impl TabLock for SingleTab {
    fn acquire(&self, _: LockName) -> LocalBoxFuture<'static, Option<LockGuard>> {
        Box::pin(ready(None))
    }
}

impl TabChannel for SingleTab {
    fn broadcast(&self, _: &TabMessage) {}

    fn listen(&self, _: Box<dyn Fn(TabMessage)>) {}

    fn is_open(&self) -> bool {
        true
    }
}

impl SignOutMarker for SingleTab {
    fn is_set(&self) -> bool {
        self.marker_set.get()
    }

    fn set(&self, present: bool) {
        self.marker_set.set(present);
    }
}

impl BrowserEvents for SingleTab {
    fn listen(&self, _: Box<dyn Fn(BrowserEvent)>) {}
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}
