//! The requests under way: the test lets them arrive, answers them, or loses them.

use std::time::Duration;

use api_types::paths;
use session_client::{ApiResponse, TransportError};

use super::TestBrowser;
use crate::shared::{JournalEntry, JournalEvent, SetCookie, TestServer, TransportResult, responses::problem};

impl<S: TestServer> TestBrowser<S> {
    /// Number of requests that wait for a response.
    pub(crate) fn open_count(&self) -> usize {
        self.state.open_requests.borrow().len()
    }

    /// The open requests: tab and path.
    pub(crate) fn open_paths(&self) -> Vec<(usize, String)> {
        let open = self.state.open_requests.borrow();
        open.iter()
            .map(|open| (open.tab, open.request.path.clone()))
            .collect()
    }

    /// Number of requests that were ever sent to `path`, by any tab.
    pub(crate) fn count(&self, path: &str) -> usize {
        let is_to_path = |entry: &&JournalEntry| matches!(&entry.event, JournalEvent::RequestSent { path: sent } if sent == path);
        self.state.journal.borrow().iter().filter(is_to_path).count()
    }

    /// Lets the server act on the open request number `index`, if it has not yet.
    pub(crate) fn arrive(&mut self, index: usize) {
        self.process(index);
    }

    /// The same. Returns whether the request is still under way: it may have been lost before it arrived.
    fn process(&mut self, index: usize) -> bool {
        let (request, cookie, sent_at) = {
            let open = &self.state.open_requests.borrow()[index];
            if open.outcome.is_some() {
                return true;
            }
            (open.request.clone(), open.cookie, open.sent_at)
        };
        let sent_cookie = cookie.filter(|_| request.path == paths::REFRESH);
        if sent_cookie.is_some_and(|cookie| self.state.server.borrow_mut().loses_request(cookie, sent_at)) {
            self.lose(index);
            return false;
        }
        let outcome = self.state.server.borrow_mut().handle(&request, cookie);
        self.state.open_requests.borrow_mut()[index].outcome = Some(outcome);
        true
    }

    /// Delivers the response to the open request number `index`.
    pub(crate) fn deliver(&mut self, index: usize) {
        if self.process(index) {
            self.respond(index, true);
        }
    }

    /// Delivers the head of the response with its cookie, but not the body.
    pub(crate) fn deliver_headers(&mut self, index: usize) {
        if self.process(index) {
            self.respond(index, false);
        }
    }

    fn respond(&mut self, index: usize, with_body: bool) {
        let (outcome, sent_cookie, has_receiver) = {
            let open = &mut self.state.open_requests.borrow_mut()[index];
            (open.outcome.take(), open.cookie, open.reply.is_some())
        };
        let (response, jar_change) = outcome.expect("it has arrived");
        let in_jar = self.state.jar.get();
        if self.on_server(|server| server.loses_response(jar_change, sent_cookie, in_jar)) {
            self.lose(index);
            return;
        }
        match jar_change {
            SetCookie::Delete | SetCookie::To(_) if !has_receiver => {}
            SetCookie::No => {}
            SetCookie::Delete => self.state.jar.set(None),
            SetCookie::To(cookie) => self.state.jar.set(Some(cookie)),
        }
        self.finish_request(
            index,
            if with_body {
                Ok(response)
            } else {
                Err(TransportError)
            },
        );
    }

    /// Cuts the connection of the open request number `index`.
    pub(crate) fn lose(&mut self, index: usize) {
        self.finish_request(index, Err(TransportError));
    }

    /// Answers the open request number `index` with 503, if it has not arrived yet: the server does nothing.
    pub(crate) fn respond_busy(&mut self, index: usize, retry_after: Option<Duration>) {
        if self.state.open_requests.borrow()[index].outcome.is_none() {
            let busy = problem(503, "busy");
            self.finish_request(index, Ok(ApiResponse { retry_after, ..busy }));
        }
    }

    fn finish_request(&mut self, index: usize, result: TransportResult) {
        let open = self.state.open_requests.borrow_mut().remove(index);
        let path = open.request.path;
        if let Some(reply) = open.reply {
            let event = match result.clone() {
                Ok(answer) => JournalEvent::ResponseReceived { path, answer },
                Err(TransportError) => JournalEvent::RequestFailed { path },
            };
            self.state.record(open.tab, event);
            let _ = reply.send(result);
        }
        self.poll_tasks();
    }

    pub(crate) fn lose_all(&mut self) {
        while self.open_count() > 0 {
            self.lose(0);
        }
    }

    /// Answers every request, in order, until no tab sends another.
    pub(crate) fn answer_all(&mut self) {
        for _ in 0..10_000 {
            if self.open_count() == 0 {
                return;
            }
            self.deliver(0);
        }
        panic!("the tabs never stop sending requests: {:?}", self.open_paths());
    }
}
