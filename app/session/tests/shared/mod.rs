//! Shared by both test targets: a browser with tabs whose network, clock and timers the test controls, and responses in
//! the server's format.

mod browser;
mod fakes;
pub(crate) mod journal;
pub(crate) mod responses;
mod server;

use std::{cell::RefCell, rc::Rc, time::Duration};

use session_client::{ApiResponse, TransportError};

pub(crate) use browser::{LockBehaviour, TestBrowser};
pub(crate) use fakes::{FakeClock, FakeTimer, FixedJitter};
pub(crate) use journal::{JournalEntry, JournalEvent};
pub(crate) use server::{ServerReply, SetCookie, TestServer};

/// A path of an application's own API, for requests whose response does not matter.
pub(crate) const NOTES: &str = "/api/notes";

pub(crate) type TransportResult = Result<ApiResponse, TransportError>;

pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A future that runs in a pool, and its result.
pub(crate) struct Task<T>(Rc<RefCell<Option<T>>>);

impl<T: 'static> Task<T> {
    /// The task, and the future to run for it.
    pub(crate) fn of(
        future: impl Future<Output = T> + 'static,
    ) -> (Self, impl Future<Output = ()> + 'static) {
        let task = Self(Rc::default());
        let result = Rc::clone(&task.0);
        let run = async move {
            let value = future.await;
            result.borrow_mut().replace(value);
        };
        (task, run)
    }

    /// The result. The future must have completed.
    pub(crate) fn done(self) -> T {
        self.0.take().expect("the future has ended")
    }

    pub(crate) fn is_pending(&self) -> bool {
        self.0.borrow().is_none()
    }
}
