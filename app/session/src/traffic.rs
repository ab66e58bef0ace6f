//! Log of the most recent requests of this page, for developers.
//!
//! It wraps the [`Transport`], so it records what was really sent and how it ended, including the manager's own
//! refreshes. It stores no body, no token and no query, and only the last [`KEPT`] requests.

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
pub const KEPT: usize = 50;

/// One request and its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
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
    pub outcome: Option<Outcome>,
}

/// The outcome of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Duration of the request.
    pub took: Duration,
    /// The response; `None` if there was none.
    pub answer: Option<Answered>,
}

/// A response without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// The `code` of a problem response (RFC 9457).
    pub code: Option<String>,
}

impl Exchange {
    /// Whether the server reads the refresh cookie of this request. (The browser sends the cookie with every request to
    /// this site.)
    pub fn uses_cookie(&self) -> bool {
        [paths::REFRESH, paths::LOGOUT, paths::LOGIN, paths::REGISTER].contains(&self.path.as_str())
    }

    /// The status, if there was a response.
    pub fn status(&self) -> Option<u16> {
        Some(self.outcome.as_ref()?.answer.as_ref()?.status)
    }
}

type Listener = Rc<dyn Fn()>;

/// The log. Clones share it.
#[derive(Clone)]
pub struct Traffic(Rc<Inner>);

struct Inner {
    clock: Rc<dyn Clock>,
    exchanges: RefCell<VecDeque<Exchange>>,
    count: Cell<u64>,
    restoring: Cell<bool>,
    restored_after: Cell<Option<Duration>>,
    listener: RefCell<Option<Listener>>,
}

struct Watched {
    transport: Rc<dyn Transport>,
    traffic: Traffic,
}

impl Traffic {
    /// An empty log with this clock.
    pub fn new(clock: Rc<dyn Clock>) -> Self {
        Self(Rc::new(Inner {
            clock,
            exchanges: RefCell::default(),
            count: Cell::new(0),
            restoring: Cell::new(false),
            restored_after: Cell::new(None),
            listener: RefCell::default(),
        }))
    }

    /// Wraps a transport so that the log records every request.
    pub fn watch(&self, transport: Rc<dyn Transport>) -> Rc<dyn Transport> {
        Rc::new(Watched {
            transport,
            traffic: self.clone(),
        })
    }

    /// The most recent requests, the oldest first.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.0.exchanges.borrow().iter().cloned().collect()
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
    pub(crate) fn restoring(&self) {
        self.0.restoring.set(true);
    }

    fn begin(&self, request: &ApiRequest) -> u64 {
        let number = self.0.count.get() + 1;
        self.0.count.set(number);
        let mut exchanges = self.0.exchanges.borrow_mut();
        if exchanges.len() == KEPT {
            exchanges.pop_front();
        }
        exchanges.push_back(Exchange {
            number,
            method: request.method,
            path: request.path.split('?').next().unwrap_or_default().to_owned(),
            bearer: request.bearer.is_some(),
            sent_at: self.0.clock.now(),
            outcome: None,
        });
        drop(exchanges);
        self.tell();
        number
    }

    fn end(&self, number: u64, answer: Option<Answered>) {
        let now = self.0.clock.now();
        let mut exchanges = self.0.exchanges.borrow_mut();
        // Newer requests may have displaced it meanwhile.
        if let Some(exchange) = exchanges.iter_mut().find(|exchange| exchange.number == number) {
            let took = now.saturating_sub(exchange.sent_at);
            exchange.outcome = Some(Outcome { took, answer });
        }
        if number == 2 && self.0.restoring.get() && began_with_a_session(&exchanges) {
            self.0.restored_after.set(Some(now));
        }
        drop(exchanges);
        self.tell();
    }

    fn tell(&self) {
        // No cell stays borrowed while the listener runs, because it may read the log.
        let listener = self.0.listener.borrow().clone();
        if let Some(listener) = listener {
            listener();
        }
    }
}

/// Whether the log begins with a successful refresh and the request for its user, with nothing before or between them.
fn began_with_a_session(exchanges: &VecDeque<Exchange>) -> bool {
    let mut exchanges = exchanges.iter();
    let mut next_was = |number: u64, path: &str| {
        exchanges.next().is_some_and(|exchange| {
            exchange.number == number && exchange.path == path && exchange.status() == Some(200)
        })
    };
    next_was(1, paths::REFRESH) && next_was(2, paths::ME)
}

impl Transport for Watched {
    fn send(&self, request: ApiRequest) -> LocalBoxFuture<'static, Result<ApiResponse, TransportError>> {
        let traffic = self.traffic.clone();
        let number = traffic.begin(&request);
        let answer = self.transport.send(request);
        async move {
            let answer = answer.await;
            traffic.end(number, answer.as_ref().ok().map(Answered::of));
            answer
        }
        .boxed_local()
    }
}

impl Answered {
    fn of(response: &ApiResponse) -> Self {
        let refused = !(200..300).contains(&response.status);
        let problem = refused.then(|| json::read::<Problem>(&response.body).ok());
        Self {
            status: response.status,
            code: problem.flatten().map(|problem| problem.code.as_str().to_owned()),
        }
    }
}

impl fmt::Debug for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traffic")
            .field("exchanges", &self.0.exchanges.borrow().len())
            .finish_non_exhaustive()
    }
}
