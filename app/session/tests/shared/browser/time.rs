//! The clock, the timers and the transport's timeout.

use std::time::Duration;

use super::{LOCK_TIMEOUT, TestBrowser, state::OpenRequest};
use crate::shared::TestServer;

impl<S: TestServer> TestBrowser<S> {
    pub(crate) fn now(&self) -> Duration {
        self.clock.get()
    }

    /// Runs everything that can run without time passing.
    pub(crate) fn run_until_idle(&mut self) {
        for _ in 0..10_000 {
            if self.message_count() > 0 {
                self.deliver_message(0);
            } else if self.open_count() > 0 {
                self.deliver(0);
            } else {
                return;
            }
        }
        panic!("the tabs never become idle: {:?}", self.open_paths());
    }

    /// Lets time pass; every timer fires when it is due.
    pub(crate) fn advance(&mut self, duration: Duration) {
        self.pass(duration, |_| ());
    }

    /// Lets time pass as it does if everything works: the effects of a timer are complete before the next one fires.
    pub(crate) fn run_for(&mut self, duration: Duration) {
        self.pass(duration, Self::run_until_idle);
    }

    /// Lets time pass on a slow line: each request arrives after `latency`, and its response takes as long again.
    pub(crate) fn run_with_latency(&mut self, latency: Duration, duration: Duration) {
        let end = self.clock.get() + duration;
        loop {
            let open = self.state.open_requests.borrow();
            let moments = open.iter().map(|open| match open.outcome {
                None => open.sent_at + latency,
                Some(_) => open.sent_at + 2 * latency,
            });
            let next_request = moments.enumerate().min_by_key(|(_, at)| *at);
            drop(open);
            let timer = self.timer.next_deadline().unwrap_or(Duration::MAX);
            match next_request {
                Some((index, at)) if at <= timer.min(end) => {
                    self.clock.set(at.max(self.clock.get()));
                    if self.state.open_requests.borrow()[index].outcome.is_none() {
                        self.arrive(index);
                    } else {
                        self.deliver(index);
                    }
                    self.deliver_messages();
                }
                _ if timer <= end => {
                    self.clock.set(timer.max(self.clock.get()));
                    self.fire_timers();
                    self.deliver_messages();
                }
                _ => break,
            }
        }
        self.clock.set(end);
    }

    /// Closes the laptop's lid for this long, and opens it.
    pub(crate) fn sleep_and_wake(&mut self, duration: Duration) {
        self.avoid_lock_timeout();
        self.clock.set(self.clock.get() + duration);
        self.fire_timers();
    }

    /// Lets time pass without timers: the browser holds them back.
    pub(crate) fn skip_to(&mut self, now: Duration) {
        self.avoid_lock_timeout();
        self.clock.set(now);
        self.time_out_requests();
    }

    fn pass(&mut self, duration: Duration, after_each: impl Fn(&mut Self)) {
        let end = self.clock.get() + duration;
        while let Some(next) = self.next_deadline().filter(|next| *next <= end) {
            let lock_timeout_at = self.state.waiting_since().map(|since| since + LOCK_TIMEOUT);
            if self.prevents_lock_timeouts && lock_timeout_at.is_some_and(|at| at <= next) {
                self.answer_all();
                continue;
            }
            self.clock.set(next.max(self.clock.get()));
            self.fire_timers();
            after_each(self);
        }
        self.clock.set(end);
    }

    /// The time of the next timer or of the next transport timeout.
    fn next_deadline(&self) -> Option<Duration> {
        let open = self.state.open_requests.borrow();
        let timeouts = open
            .iter()
            .map(|open| open.sent_at.saturating_add(self.request_timeout));
        self.timer.next_deadline().into_iter().chain(timeouts).min()
    }

    /// Answers every request, if a wait for the lock would time out otherwise.
    fn avoid_lock_timeout(&mut self) {
        if self.prevents_lock_timeouts && self.state.waiting_since().is_some() {
            self.answer_all();
        }
    }

    /// Fires everything that is due.
    fn fire_timers(&mut self) {
        self.timer.fire_due();
        self.poll_tasks();
        self.time_out_requests();
    }

    fn time_out_requests(&mut self) {
        let (now, timeout) = (self.clock.get(), self.request_timeout);
        let is_timed_out = |open: &OpenRequest<S::Cookie>| open.sent_at.saturating_add(timeout) <= now;
        loop {
            let oldest = self.state.open_requests.borrow().iter().position(is_timed_out);
            let Some(index) = oldest else { return };
            self.lose(index);
        }
    }
}
