//! What the tabs of one browser share.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    time::Duration,
};

use futures::{channel::oneshot, future::AbortHandle};
use session_client::{ApiRequest, ApiResponse, BrowserEvent, LockName, TabMessage};

use crate::shared::{FakeClock, JournalEntry, JournalEvent, SetCookie, TestServer, TransportResult};

/// The state that all tabs share.
pub(super) struct BrowserState<S: TestServer> {
    pub(super) clock: FakeClock,
    pub(super) server: RefCell<S>,
    pub(super) jar: Cell<Option<S::Cookie>>,
    pub(super) open_requests: RefCell<Vec<OpenRequest<S::Cookie>>>,
    pub(super) journal: RefCell<Vec<JournalEntry>>,
    pub(super) marker: Cell<bool>,
    pub(super) first_lock: LockState,
    pub(super) overflow_lock: LockState,
    /// Messages under way: the receiving tab, and the text as sent.
    pub(super) messages: RefCell<Vec<(usize, String)>>,
    /// Every message that was ever sent.
    pub(super) sent_messages: RefCell<Vec<String>>,
    pub(super) tabs: RefCell<Vec<TabState>>,
}

/// One of the two locks.
#[derive(Default)]
pub(super) struct LockState {
    pub(super) held: Cell<bool>,
    /// The waiting tabs, with the start of their wait.
    pub(super) waiters: RefCell<VecDeque<(Duration, oneshot::Sender<()>)>>,
}

/// A request that is under way.
pub(super) struct OpenRequest<Cookie> {
    pub(super) tab: usize,
    pub(super) sent_at: Duration,
    pub(super) request: ApiRequest,
    pub(super) cookie: Option<Cookie>,
    /// Set when the request has arrived: the response, and its effect on the jar.
    pub(super) outcome: Option<(ApiResponse, SetCookie<Cookie>)>,
    /// If the page is gone, no one receives the response.
    pub(super) reply: Option<oneshot::Sender<TransportResult>>,
}

/// The listeners and futures of one tab.
#[derive(Default)]
pub(super) struct TabState {
    pub(super) on_message: Option<Box<dyn Fn(TabMessage)>>,
    pub(super) on_event: Option<Box<dyn Fn(BrowserEvent)>>,
    /// The futures that run in the page.
    pub(super) tasks: Vec<AbortHandle>,
    pub(super) closed: bool,
}

impl<S: TestServer> BrowserState<S> {
    pub(super) fn new(clock: &FakeClock) -> Self {
        Self {
            clock: clock.clone(),
            server: RefCell::new(S::new(clock.clone())),
            jar: Cell::default(),
            open_requests: RefCell::default(),
            journal: RefCell::default(),
            marker: Cell::default(),
            first_lock: LockState::default(),
            overflow_lock: LockState::default(),
            messages: RefCell::default(),
            sent_messages: RefCell::default(),
            tabs: RefCell::default(),
        }
    }

    /// Appends an event to the journal.
    pub(super) fn record(&self, tab: usize, event: JournalEvent) {
        let (at, marker_set) = (self.clock.get(), self.marker.get());
        let entry = JournalEntry {
            at,
            tab,
            marker_set,
            event,
        };
        self.journal.borrow_mut().push(entry);
    }

    pub(super) fn lock(&self, name: LockName) -> &LockState {
        match name {
            LockName::First => &self.first_lock,
            LockName::Overflow => &self.overflow_lock,
        }
    }

    /// When the longest wait for the first lock began.
    pub(super) fn waiting_since(&self) -> Option<Duration> {
        let mut waiters = self.first_lock.waiters.borrow_mut();
        waiters.retain(|(_, grant)| !grant.is_canceled());
        waiters.front().map(|(since, _)| *since)
    }
}
