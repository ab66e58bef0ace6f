//! The state that the handles and the driver share: the session, its listeners, and the requests that wait for a token.

use std::{
    cell::{Cell, RefCell},
    fmt,
    rc::Rc,
};

use futures::channel::oneshot;

use crate::{
    Ports, SessionView,
    breaker::Breaker,
    event::{Effect, Environment, Event},
    queue::Job,
    state::SessionMachine,
};

type Listener = Rc<dyn Fn(SessionView)>;

/// No cell stays borrowed while a listener runs or a future waits, because a listener may call the manager.
pub(crate) struct Shared {
    pub(crate) ports: Ports,
    pub(crate) breaker: RefCell<Breaker>,
    session: RefCell<SessionMachine>,
    waiting: RefCell<Vec<oneshot::Sender<()>>>,
    listeners: RefCell<Vec<Listener>>,
    publishing: Cell<bool>,
    changed: Cell<bool>,
}

impl Shared {
    /// An unfinished sign-out from before the page load takes precedence over the `initial` view.
    pub(crate) fn new(ports: Ports, initial: SessionView) -> Self {
        let session = if ports.marker.is_set() {
            SessionMachine::with_unfinished_sign_out()
        } else {
            initial.into()
        };
        Self {
            ports,
            breaker: RefCell::default(),
            session: RefCell::new(session),
            waiting: RefCell::default(),
            listeners: RefCell::default(),
            publishing: Cell::new(false),
            changed: Cell::new(false),
        }
    }

    /// Reads the current session.
    pub(crate) fn read<T>(&self, f: impl FnOnce(&SessionMachine) -> T) -> T {
        f(&self.session.borrow())
    }

    /// Applies an event to the state machine. Returns the resulting job, which the caller must queue.
    #[must_use = "a refresh that is not queued would leave everybody waiting for it"]
    pub(crate) fn apply(&self, event: Event) -> Option<Job> {
        let (session, effects) = self.read(SessionMachine::clone).step(event);
        *self.session.borrow_mut() = session;
        let mut job = None;
        for effect in effects {
            match effect {
                Effect::SetMarker(present) => self.ports.marker.set(present),
                Effect::Broadcast(message) => self.ports.channel.broadcast(&message),
                Effect::Publish(_) => self.publish(),
                Effect::ResumeWaiters => self.resume_waiters(),
                Effect::Refresh { epoch } => job = Some(Job::Refresh { epoch }),
                Effect::Verify { epoch } => job = Some(Job::Verify { epoch }),
                Effect::RetrySignOut => job = Some(Job::RetrySignOut),
            }
        }
        job
    }

    /// The current environment for an event.
    pub(crate) fn environment(&self) -> Environment {
        Environment {
            now: self.ports.clock.now(),
            jitter: self.ports.jitter.next(),
            marker_set: self.ports.marker.is_set(),
            channel_closed: !self.ports.channel.is_open(),
        }
    }

    pub(crate) fn listen(&self, listener: Listener) {
        self.listeners.borrow_mut().push(listener);
    }

    /// Whether a queued refresh still needs a request when it runs. If another tab has refreshed meanwhile, this tab's
    /// token may expire, unless a request waits for a new one.
    pub(crate) fn needs_refresh(&self) -> bool {
        self.waiting.borrow_mut().retain(|waiting| !waiting.is_canceled());
        !self.waiting.borrow().is_empty() || self.read(|session| session.is_due(self.ports.clock.now()))
    }

    /// Resolves when the next attempt to get a token has ended, with or without success.
    pub(crate) fn next_attempt(&self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.waiting.borrow_mut().push(sender);
        receiver
    }

    fn resume_waiters(&self) {
        for waiting in self.waiting.take() {
            // A waiter that was dropped needs no notification.
            let _ = waiting.send(());
        }
    }

    /// Calls every listener with the newest view. If a listener changes the session, another round follows instead of a
    /// nested one, so that every listener sees the changes in order.
    fn publish(&self) {
        self.changed.set(true);
        if self.publishing.replace(true) {
            return;
        }
        while self.changed.take() {
            let listeners = self.listeners.borrow().clone();
            let view = self.read(SessionMachine::view);
            for listener in listeners {
                listener(view.clone());
            }
        }
        self.publishing.set(false);
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("view", &self.read(SessionMachine::view))
            .finish_non_exhaustive()
    }
}
