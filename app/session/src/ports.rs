//! What the manager needs from the outside world. `frontend` implements these with the browser, tests with fakes.

use std::{fmt, rc::Rc, time::Duration};

use futures::future::LocalBoxFuture;

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
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}
