//! Log of the most recent requests of this page, for developers.
//!
//! It wraps the [`Transport`], so it records what was really sent and how it ended, including the manager's own
//! refreshes. It stores no body, no token and no query, and only the last [`MAX_ENTRIES`] requests.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    fmt,
    rc::Rc,
    time::Duration,
};

use api_types::{paths, problem::Problem};
use futures::{FutureExt, future::LocalBoxFuture};

use crate::{ApiRequest, ApiResponse, Clock, Method, Transport, TransportError, json};

/// Maximum number of requests in the log.
pub const MAX_ENTRIES: usize = 50;

/// One request and its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedRequest {
    /// Number of the request in this page, from 1.
    pub number: u64,
    /// The method.
    pub method: Method,
    /// The path without the query.
    pub path: String,
    /// Whether an access token was sent with it (RFC 6750 §2.1).
    pub bearer: bool,
    /// When it was sent, on the manager's monotonic [`Clock`].
    pub sent_at: Duration,
    /// The outcome; `None` while the request is under way.
    pub outcome: Option<RequestOutcome>,
}

/// The outcome of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestOutcome {
    /// Duration of the request.
    pub duration: Duration,
    /// The response; `None` if there was none.
    pub response: Option<LoggedResponse>,
}

/// A response without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedResponse {
    /// The HTTP status.
    pub status: u16,
    /// The `code` of a problem response (RFC 9457).
    pub code: Option<String>,
}

impl LoggedRequest {
    /// Whether the server reads the refresh cookie of this request. (The browser sends the cookie with every request to
    /// this site.)
    pub fn uses_cookie(&self) -> bool {
        [paths::REFRESH, paths::LOGOUT, paths::LOGIN, paths::REGISTER].contains(&self.path.as_str())
    }

    /// The status, if there was a response.
    pub fn status(&self) -> Option<u16> {
        Some(self.outcome.as_ref()?.response.as_ref()?.status)
    }
}

type Listener = Rc<dyn Fn()>;

/// The log. Clones share it.
#[derive(Clone)]
pub struct RequestLog(Rc<LogState>);

struct LogState {
    clock: Rc<dyn Clock>,
    entries: RefCell<VecDeque<LoggedRequest>>,
    count: Cell<u64>,
    restoring: Cell<bool>,
    restored_after: Cell<Option<Duration>>,
    listener: RefCell<Option<Listener>>,
}

struct LoggingTransport {
    transport: Rc<dyn Transport>,
    request_log: RequestLog,
}

impl RequestLog {
    /// An empty log with this clock.
    pub fn new(clock: Rc<dyn Clock>) -> Self {
        Self(Rc::new(LogState {
            clock,
            entries: RefCell::default(),
            count: Cell::new(0),
            restoring: Cell::new(false),
            restored_after: Cell::new(None),
            listener: RefCell::default(),
        }))
    }

    /// Wraps a transport so that the log records every request.
    pub fn watch(&self, transport: Rc<dyn Transport>) -> Rc<dyn Transport> {
        Rc::new(LoggingTransport {
            transport,
            request_log: self.clone(),
        })
    }

    /// The most recent requests, the oldest first.
    pub fn entries(&self) -> Vec<LoggedRequest> {
        self.0.entries.borrow().iter().cloned().collect()
    }

    /// Time from the page load until the silent refresh had restored the session and its user was known, on a clock
    /// that started with the load. `None` if the page did not begin with a refresh, or if it took more than one
    /// attempt.
    pub fn restored_after(&self) -> Option<Duration> {
        self.0.restored_after.get()
    }

    /// Calls `listener` when a request is sent or ends. Replaces the previous listener.
    pub fn on_change(&self, listener: impl Fn() + 'static) {
        self.0.listener.replace(Some(Rc::new(listener)));
    }

    /// Records that the page has loaded and restores its session.
    pub(crate) fn mark_restoring(&self) {
        self.0.restoring.set(true);
    }

    fn begin(&self, request: &ApiRequest) -> u64 {
        let number = self.0.count.get() + 1;
        self.0.count.set(number);
        let mut entries = self.0.entries.borrow_mut();
        if entries.len() == MAX_ENTRIES {
            entries.pop_front();
        }
        entries.push_back(LoggedRequest {
            number,
            method: request.method,
            path: request.path.split('?').next().unwrap_or_default().to_owned(),
            bearer: request.bearer.is_some(),
            sent_at: self.0.clock.now(),
            outcome: None,
        });
        drop(entries);
        self.notify();
        number
    }

    fn end(&self, number: u64, response: Option<LoggedResponse>) {
        let now = self.0.clock.now();
        let mut entries = self.0.entries.borrow_mut();
        // Newer requests may have displaced it meanwhile.
        if let Some(entry) = entries.iter_mut().find(|entry| entry.number == number) {
            let duration = now.saturating_sub(entry.sent_at);
            entry.outcome = Some(RequestOutcome { duration, response });
        }
        if number == 2 && self.0.restoring.get() && starts_with_restored_session(&entries) {
            self.0.restored_after.set(Some(now));
        }
        drop(entries);
        self.notify();
    }

    fn notify(&self) {
        // No cell stays borrowed while the listener runs, because it may read the log.
        let listener = self.0.listener.borrow().clone();
        if let Some(listener) = listener {
            listener();
        }
    }
}

/// Whether the log begins with a successful refresh and the request for its user, with nothing before or between them.
fn starts_with_restored_session(entries: &VecDeque<LoggedRequest>) -> bool {
    let mut entries = entries.iter();
    let mut next_is = |number: u64, path: &str| {
        entries
            .next()
            .is_some_and(|entry| entry.number == number && entry.path == path && entry.status() == Some(200))
    };
    next_is(1, paths::REFRESH) && next_is(2, paths::ME)
}

impl Transport for LoggingTransport {
    fn send(&self, request: ApiRequest) -> LocalBoxFuture<'static, Result<ApiResponse, TransportError>> {
        let request_log = self.request_log.clone();
        let number = request_log.begin(&request);
        let response = self.transport.send(request);
        async move {
            let response = response.await;
            request_log.end(number, response.as_ref().ok().map(LoggedResponse::of));
            response
        }
        .boxed_local()
    }
}

impl LoggedResponse {
    fn of(response: &ApiResponse) -> Self {
        let is_failure = !(200..300).contains(&response.status);
        let problem = is_failure.then(|| json::parse::<Problem>(&response.body).ok());
        Self {
            status: response.status,
            code: problem.flatten().map(|problem| problem.code.as_str().to_owned()),
        }
    }
}

impl fmt::Debug for RequestLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestLog")
            .field("entries", &self.0.entries.borrow().len())
            .finish_non_exhaustive()
    }
}
