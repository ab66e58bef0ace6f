//! What the tabs of one browser share, and each tab's ports to it.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    time::Duration,
};

use futures::{
    FutureExt,
    channel::oneshot,
    future::{AbortHandle, LocalBoxFuture},
};
use session_client::{
    ApiRequest, ApiResponse, News, Queue, SignOutMarker, TabChannel, TabLock, Transport, TransportError,
    Turn, Wakeup, Wakeups,
};

use crate::shared::{Answer, Clock, Entry, Server, SetCookie, What};

/// The behaviour of the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    Works,
    /// The browser has no Web Locks.
    Missing,
    /// A frozen or crashed tab holds the first of the two locks and never releases it.
    HeldByTheDead,
    /// The same with both locks.
    BothHeldByTheDead,
}

/// One of the two locks.
#[derive(Default)]
pub(super) struct QueueState {
    pub(super) held: Cell<bool>,
    /// The waiting tabs, with the start of their wait.
    line: RefCell<VecDeque<(Duration, oneshot::Sender<()>)>>,
}

pub(super) struct World<S: Server> {
    pub(super) clock: Clock,
    pub(super) server: RefCell<S>,
    pub(super) jar: Cell<Option<S::Cookie>>,
    pub(super) open: RefCell<Vec<Open<S::Cookie>>>,
    pub(super) journal: RefCell<Vec<Entry>>,
    pub(super) marker: Cell<bool>,
    pub(super) first: QueueState,
    pub(super) overflow: QueueState,
    /// Messages under way: the receiving tab, and the text as sent.
    pub(super) news: RefCell<Vec<(usize, String)>>,
    pub(super) told: RefCell<Vec<String>>,
    pub(super) tabs: RefCell<Vec<TabEnds>>,
}

/// A request that is under way.
pub(super) struct Open<Cookie> {
    pub(super) tab: usize,
    pub(super) sent_at: Duration,
    pub(super) request: ApiRequest,
    pub(super) cookie: Option<Cookie>,
    /// Set when the request has arrived: the response, and its effect on the jar.
    pub(super) outcome: Option<(ApiResponse, SetCookie<Cookie>)>,
    /// If the page is gone, no one receives the response.
    pub(super) reply: Option<oneshot::Sender<Answer>>,
}

#[derive(Default)]
pub(super) struct TabEnds {
    pub(super) hear: Option<Box<dyn Fn(News)>>,
    pub(super) wake: Option<Box<dyn Fn(Wakeup)>>,
    /// The futures that run in the page.
    pub(super) running: Vec<AbortHandle>,
    pub(super) closed: bool,
}

/// One tab's ports to the shared world.
pub(super) struct Tab<S: Server> {
    pub(super) number: usize,
    pub(super) world: Rc<World<S>>,
    pub(super) lock: Lock,
    pub(super) channel: bool,
}

impl<S: Server> World<S> {
    pub(super) fn new(clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            server: RefCell::new(S::new(clock.clone())),
            jar: Cell::default(),
            open: RefCell::default(),
            journal: RefCell::default(),
            marker: Cell::default(),
            first: QueueState::default(),
            overflow: QueueState::default(),
            news: RefCell::default(),
            told: RefCell::default(),
            tabs: RefCell::default(),
        }
    }

    pub(super) fn note(&self, tab: usize, what: What) {
        let (at, marked) = (self.clock.get(), self.marker.get());
        let entry = Entry {
            at,
            tab,
            marked,
            what,
        };
        self.journal.borrow_mut().push(entry);
    }

    fn lock(&self, queue: Queue) -> &QueueState {
        match queue {
            Queue::First => &self.first,
            Queue::Overflow => &self.overflow,
        }
    }

    /// The start of the wait of the first tab in line.
    pub(super) fn waiting_since(&self) -> Option<Duration> {
        let mut line = self.first.line.borrow_mut();
        line.retain(|(_, grant)| !grant.is_canceled());
        line.front().map(|(since, _)| *since)
    }
}

impl<S: Server> Transport for Tab<S> {
    fn send(&self, request: ApiRequest) -> LocalBoxFuture<'static, Answer> {
        let (reply, answer) = oneshot::channel();
        let path = request.path.clone();
        self.world.note(self.number, What::Sent { path });
        self.world.open.borrow_mut().push(Open {
            tab: self.number,
            sent_at: self.world.clock.get(),
            cookie: self.world.jar.get(),
            request,
            outcome: None,
            reply: Some(reply),
        });
        answer
            .map(|answer| answer.unwrap_or(Err(TransportError)))
            .boxed_local()
    }
}

/// A granted lock. Dropping it grants the lock to the next tab that still waits.
struct Held<S: Server>(Rc<World<S>>, Queue);

impl<S: Server> Drop for Held<S> {
    fn drop(&mut self) {
        let lock = self.0.lock(self.1);
        lock.held.set(false);
        loop {
            let Some((_, next)) = lock.line.borrow_mut().pop_front() else {
                return;
            };
            if next.send(()).is_ok() {
                lock.held.set(true);
                return;
            }
        }
    }
}

impl<S: Server> TabLock for Tab<S> {
    fn turn(&self, queue: Queue) -> LocalBoxFuture<'static, Option<Turn>> {
        let world = Rc::clone(&self.world);
        let is_dead = match self.lock {
            Lock::Missing => return std::future::ready(None).boxed_local(),
            Lock::Works => false,
            Lock::HeldByTheDead => queue == Queue::First,
            Lock::BothHeldByTheDead => true,
        };
        if is_dead {
            return std::future::pending().boxed_local();
        }
        if !world.lock(queue).held.replace(true) {
            return std::future::ready(Some(Box::new(Held(world, queue)) as Box<dyn Any>)).boxed_local();
        }
        let (grant, granted) = oneshot::channel();
        let since = world.clock.get();
        world.lock(queue).line.borrow_mut().push_back((since, grant));
        granted
            .map(move |granted| {
                granted
                    .ok()
                    .map(|()| Box::new(Held(world, queue)) as Box<dyn Any>)
            })
            .boxed_local()
    }
}

impl<S: Server> TabChannel for Tab<S> {
    fn tell(&self, news: &News) {
        if !self.channel {
            return;
        }
        let text = news.to_text();
        self.world.told.borrow_mut().push(text.clone());
        let tabs = self.world.tabs.borrow().len();
        for other in (0..tabs).filter(|other| *other != self.number) {
            self.world.news.borrow_mut().push((other, text.clone()));
        }
    }

    fn listen(&self, hear: Box<dyn Fn(News)>) {
        self.world.tabs.borrow_mut()[self.number].hear = Some(hear);
    }

    fn is_open(&self) -> bool {
        self.channel
    }
}

impl<S: Server> SignOutMarker for Tab<S> {
    fn is_set(&self) -> bool {
        self.world.marker.get()
    }

    fn set(&self, there: bool) {
        self.world.marker.set(there);
    }
}

impl<S: Server> Wakeups for Tab<S> {
    fn listen(&self, wake: Box<dyn Fn(Wakeup)>) {
        self.world.tabs.borrow_mut()[self.number].wake = Some(wake);
    }
}
