//! What the manager needs from the outside world. `frontend` implements these with the browser, tests with fakes.

use std::{rc::Rc, time::Duration};

use futures::future::LocalBoxFuture;

/// The methods that the API uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

/// One request to our own origin. Cookies are sent by the browser by itself; the manager adds the access token.
#[derive(Clone)]
pub struct ApiRequest {
    pub method: Method,
    /// A path of `api_types::paths`, never a full URL: a token must not be able to leave for another origin.
    pub path: String,
    /// A JSON body.
    pub body: Option<String>,
    /// Sent as `Authorization: Bearer …` (RFC 6750 §2.1).
    pub bearer: Option<String>,
}

/// What came back.
#[derive(Clone)]
pub struct ApiResponse {
    pub status: u16,
    pub body: String,
    /// The `Retry-After` header, if it was a number of seconds.
    pub retry_after: Option<Duration>,
}

/// No answer came: offline, timed out, or cut off before the end of the body. Whether the server acted is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransportError;

/// Sends requests to our own origin. Must give up by itself after a while (15 s is a good bound).
pub trait Transport {
    fn send(&self, request: ApiRequest) -> LocalBoxFuture<'static, Result<ApiResponse, TransportError>>;
}

/// Wakes the manager up later.
pub trait Timer {
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()>;
}

/// A monotonic clock: time since some fixed moment. Never the wall clock, which people and networks set wrong.
pub trait Clock {
    fn now(&self) -> Duration;
}

/// Randomness for spreading retries: a number in `0.0..1.0`.
pub trait Jitter {
    fn next(&self) -> f64;
}

/// All ports together.
#[derive(Clone)]
pub struct Ports {
    pub transport: Rc<dyn Transport>,
    pub timer: Rc<dyn Timer>,
    pub clock: Rc<dyn Clock>,
    pub jitter: Rc<dyn Jitter>,
}
