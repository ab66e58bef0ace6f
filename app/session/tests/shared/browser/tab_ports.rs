//! The ports of one tab to the state that all tabs share.

use std::{any::Any, rc::Rc};

use futures::{FutureExt, channel::oneshot, future::LocalBoxFuture};
use session_client::{
    ApiRequest, BrowserEvent, BrowserEvents, LockGuard, LockName, SignOutMarker, TabChannel, TabLock,
    TabMessage, Transport, TransportError,
};

use super::state::{BrowserState, OpenRequest};
use crate::shared::{JournalEvent, TestServer, TransportResult};

/// How the locks behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LockBehaviour {
    Works,
    /// The browser has no Web Locks.
    Missing,
    /// A frozen or crashed tab holds the first of the two locks and never releases it.
    FirstStuck,
    /// The same with both locks.
    BothStuck,
}

pub(super) struct TabPorts<S: TestServer> {
    pub(super) number: usize,
    pub(super) state: Rc<BrowserState<S>>,
    pub(super) lock: LockBehaviour,
    pub(super) channel: bool,
}

/// A granted lock. Dropping it grants the lock to the next tab that still waits.
struct FakeLockGuard<S: TestServer>(Rc<BrowserState<S>>, LockName);

impl<S: TestServer> Drop for FakeLockGuard<S> {
    fn drop(&mut self) {
        let lock = self.0.lock(self.1);
        lock.held.set(false);
        loop {
            let Some((_, grant)) = lock.waiters.borrow_mut().pop_front() else {
                return;
            };
            if grant.send(()).is_ok() {
                lock.held.set(true);
                return;
            }
        }
    }
}

impl<S: TestServer> Transport for TabPorts<S> {
    fn send(&self, request: ApiRequest) -> LocalBoxFuture<'static, TransportResult> {
        let (reply, response) = oneshot::channel();
        let path = request.path.clone();
        self.state.record(self.number, JournalEvent::RequestSent { path });
        self.state.open_requests.borrow_mut().push(OpenRequest {
            tab: self.number,
            sent_at: self.state.clock.get(),
            cookie: self.state.jar.get(),
            request,
            outcome: None,
            reply: Some(reply),
        });
        response
            .map(|response| response.unwrap_or(Err(TransportError)))
            .boxed_local()
    }
}

impl<S: TestServer> TabLock for TabPorts<S> {
    fn acquire(&self, lock: LockName) -> LocalBoxFuture<'static, Option<LockGuard>> {
        let state = Rc::clone(&self.state);
        let is_stuck = match self.lock {
            LockBehaviour::Missing => return std::future::ready(None).boxed_local(),
            LockBehaviour::Works => false,
            LockBehaviour::FirstStuck => lock == LockName::First,
            LockBehaviour::BothStuck => true,
        };
        if is_stuck {
            return std::future::pending().boxed_local();
        }
        if !state.lock(lock).held.replace(true) {
            return std::future::ready(Some(Box::new(FakeLockGuard(state, lock)) as Box<dyn Any>))
                .boxed_local();
        }
        let (grant, granted) = oneshot::channel();
        let since = state.clock.get();
        state.lock(lock).waiters.borrow_mut().push_back((since, grant));
        granted
            .map(move |granted| {
                granted
                    .ok()
                    .map(|()| Box::new(FakeLockGuard(state, lock)) as Box<dyn Any>)
            })
            .boxed_local()
    }
}

impl<S: TestServer> TabChannel for TabPorts<S> {
    fn broadcast(&self, message: &TabMessage) {
        if !self.channel {
            return;
        }
        let text = message.to_text();
        self.state.sent_messages.borrow_mut().push(text.clone());
        let tabs = self.state.tabs.borrow().len();
        for other in (0..tabs).filter(|other| *other != self.number) {
            self.state.messages.borrow_mut().push((other, text.clone()));
        }
    }

    fn listen(&self, on_message: Box<dyn Fn(TabMessage)>) {
        self.state.tabs.borrow_mut()[self.number].on_message = Some(on_message);
    }

    fn is_open(&self) -> bool {
        self.channel
    }
}

impl<S: TestServer> SignOutMarker for TabPorts<S> {
    fn is_set(&self) -> bool {
        self.state.marker.get()
    }

    fn set(&self, present: bool) {
        self.state.marker.set(present);
    }
}

impl<S: TestServer> BrowserEvents for TabPorts<S> {
    fn listen(&self, on_event: Box<dyn Fn(BrowserEvent)>) {
        self.state.tabs.borrow_mut()[self.number].on_event = Some(on_event);
    }
}
