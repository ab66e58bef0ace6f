//! The four ports, moved by hand.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use futures::{FutureExt, channel::oneshot, future::LocalBoxFuture};
use session_client::{ApiRequest, ApiResponse, Method, TransportError};

type Answer = Result<ApiResponse, TransportError>;
type OpenRequest = (String, oneshot::Sender<Answer>);
type Alarm = (Duration, oneshot::Sender<()>);

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) bearer: Option<String>,
    pub(crate) body: Option<String>,
}

/// A server that answers when the test says so.
#[derive(Clone, Default)]
pub(crate) struct Server {
    log: Rc<RefCell<Vec<Recorded>>>,
    open: Rc<RefCell<Vec<OpenRequest>>>,
}

#[derive(Clone, Default)]
pub(crate) struct Clock(Rc<Cell<Duration>>);

#[derive(Clone)]
pub(crate) struct Timer {
    clock: Clock,
    longest: Rc<Cell<Duration>>,
    pending: Rc<RefCell<Vec<Alarm>>>,
}

pub(crate) struct FixedJitter(pub(crate) f64);

impl Server {
    pub(super) fn answer(&self, path: &str, answer: Answer) {
        let position = self.open.borrow().iter().position(|(open, _)| open == path);
        let position =
            position.unwrap_or_else(|| panic!("no open request to {path}, only {:?}", self.open()));
        let (_, reply) = self.open.borrow_mut().remove(position);
        // Whoever asked may have been dropped meanwhile.
        let _ = reply.send(answer);
    }

    pub(super) fn log(&self) -> Vec<Recorded> {
        self.log.borrow().clone()
    }

    pub(super) fn open(&self) -> Vec<String> {
        self.open.borrow().iter().map(|(path, _)| path.clone()).collect()
    }
}

impl session_client::Transport for Server {
    fn send(&self, request: ApiRequest) -> LocalBoxFuture<'static, Answer> {
        self.log.borrow_mut().push(Recorded {
            method: request.method,
            path: request.path.clone(),
            bearer: request.bearer.map(|token| token.expose().to_owned()),
            body: request.body,
        });
        let (reply, answer) = oneshot::channel();
        self.open.borrow_mut().push((request.path, reply));
        answer
            .map(|answer| answer.unwrap_or(Err(TransportError)))
            .boxed_local()
    }
}

impl Clock {
    pub(super) fn get(&self) -> Duration {
        self.0.get()
    }

    pub(super) fn set(&self, now: Duration) {
        self.0.set(now);
    }
}

impl session_client::Clock for Clock {
    fn now(&self) -> Duration {
        self.0.get()
    }
}

impl Timer {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            longest: Rc::new(Cell::new(Duration::MAX)),
            pending: Rc::default(),
        }
    }

    pub(super) fn cap(&self, longest: Duration) {
        self.longest.set(longest);
    }

    /// The earliest moment at which somebody who still cares wants to be woken.
    pub(super) fn next_deadline(&self) -> Option<Duration> {
        self.pending.borrow_mut().retain(|(_, wake)| !wake.is_canceled());
        self.pending.borrow().iter().map(|(deadline, _)| *deadline).min()
    }

    pub(super) fn fire_due(&self) {
        let now = self.clock.get();
        let due: Vec<_> = self
            .pending
            .borrow_mut()
            .extract_if(.., |(deadline, _)| *deadline <= now)
            .collect();
        for (_, wake) in due {
            let _ = wake.send(());
        }
    }
}

impl session_client::Timer for Timer {
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        let (wake, woken) = oneshot::channel();
        let deadline = self.clock.get() + duration.min(self.longest.get());
        self.pending.borrow_mut().push((deadline, wake));
        woken.map(drop).boxed_local()
    }
}

impl session_client::Jitter for FixedJitter {
    fn next(&self) -> f64 {
        self.0
    }
}
