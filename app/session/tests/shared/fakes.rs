//! Clock, timer and randomness that the test controls.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use futures::{FutureExt, channel::oneshot, future::LocalBoxFuture};

type PendingTimer = (Duration, oneshot::Sender<()>);

#[derive(Clone, Default)]
pub(crate) struct FakeClock(Rc<Cell<Duration>>);

#[derive(Clone)]
pub(crate) struct FakeTimer {
    clock: FakeClock,
    longest: Rc<Cell<Duration>>,
    pending: Rc<RefCell<Vec<PendingTimer>>>,
}

pub(crate) struct FixedJitter(pub(crate) f64);

impl FakeClock {
    pub(crate) fn get(&self) -> Duration {
        self.0.get()
    }

    pub(crate) fn set(&self, now: Duration) {
        self.0.set(now);
    }
}

impl session_client::Clock for FakeClock {
    fn now(&self) -> Duration {
        self.0.get()
    }
}

impl FakeTimer {
    pub(crate) fn new(clock: FakeClock) -> Self {
        Self {
            clock,
            longest: Rc::new(Cell::new(Duration::MAX)),
            pending: Rc::default(),
        }
    }

    pub(crate) fn set_max_wait(&self, longest: Duration) {
        self.longest.set(longest);
    }

    /// The earliest deadline of a timer that was not dropped.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.pending.borrow_mut().retain(|(_, wake)| !wake.is_canceled());
        self.pending.borrow().iter().map(|(deadline, _)| *deadline).min()
    }

    pub(crate) fn fire_due(&self) {
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

impl session_client::Timer for FakeTimer {
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
