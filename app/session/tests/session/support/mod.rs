//! The environment of one manager, and a server for a browser with many.

mod server;
mod sessions;

use std::{cell::RefCell, future::Future, rc::Rc, time::Duration};

use api_types::{auth::User, paths};
use futures::{executor::LocalPool, task::LocalSpawnExt};
use session_client::{
    ApiError, ApiRequest, ApiResponse, Method, Ports, SessionManager, SessionView, SingleTab, TransportError,
};

use crate::shared::{FakeClock, FakeTimer, Task};
pub(crate) use crate::shared::{
    FixedJitter, LockBehaviour, NOTES,
    responses::{
        TTL, login, ok, problem, problem_with_reason, signed_in, signed_in_view, token_response, user,
        user_response,
    },
    secs,
};
use server::ManualServer;
pub(crate) use server::RecordedRequest;
pub(crate) use sessions::InMemorySessions;

pub(crate) type TestBrowser = crate::shared::TestBrowser<InMemorySessions>;

pub(crate) struct TestPage {
    pool: LocalPool,
    server: ManualServer,
    clock: FakeClock,
    timer: FakeTimer,
    pub(crate) session: SessionManager,
    views: Rc<RefCell<Vec<SessionView>>>,
}

impl TestPage {
    /// A page that was just loaded.
    pub(crate) fn new() -> Self {
        Self::starting_as(SessionView::Unknown)
    }

    pub(crate) fn starting_as(initial: SessionView) -> Self {
        Self::with(initial, FixedJitter(0.0))
    }

    pub(crate) fn with(initial: SessionView, jitter: FixedJitter) -> Self {
        let (server, clock) = (ManualServer::default(), FakeClock::default());
        let timer = FakeTimer::new(clock.clone());
        let single_tab = Rc::new(SingleTab::default());
        let ports = Ports {
            transport: Rc::new(server.clone()),
            timer: Rc::new(timer.clone()),
            clock: Rc::new(clock.clone()),
            jitter: Rc::new(jitter),
            lock: single_tab.clone(),
            channel: single_tab.clone(),
            marker: single_tab.clone(),
            browser_events: single_tab,
        };
        let (session, driver) = SessionManager::new(ports, initial);
        let views = Rc::<RefCell<Vec<_>>>::default();
        let seen = Rc::clone(&views);
        session.on_change(move |view| seen.borrow_mut().push(view));
        let pool = LocalPool::new();
        pool.spawner().spawn_local(driver).expect("the pool takes it");
        let mut page = Self {
            pool,
            server,
            clock,
            timer,
            session,
            views,
        };
        page.run_until_idle();
        page
    }

    /// A page on which `ada` has just signed in, with the token `t1`.
    pub(crate) fn restored() -> Self {
        let mut page = Self::new();
        let restore = page.restore();
        page.answer(paths::REFRESH, token_response("t1"));
        page.answer(paths::ME, user_response("ada"));
        assert_eq!(restore.done(), signed_in_view("ada", TTL));
        page
    }

    pub(crate) fn spawn<T: 'static>(&mut self, future: impl Future<Output = T> + 'static) -> Task<T> {
        let (task, run) = Task::of(future);
        self.pool.spawner().spawn_local(run).expect("the pool takes it");
        self.run_until_idle();
        task
    }

    pub(crate) fn restore(&mut self) -> Task<SessionView> {
        let session = self.session.clone();
        self.spawn(async move { session.restore().await })
    }

    /// Signs in as `bob`.
    pub(crate) fn sign_in(&mut self) -> Task<Result<User, ApiError>> {
        let session = self.session.clone();
        self.spawn(async move { session.sign_in(login()).await })
    }

    pub(crate) fn sign_out(&mut self) -> Task<Result<(), ApiError>> {
        let sign_out = self.session.sign_out();
        self.spawn(sign_out)
    }

    /// Sends `GET` to [`NOTES`].
    pub(crate) fn send(&mut self) -> Task<Result<ApiResponse, ApiError>> {
        self.send_to(NOTES)
    }

    pub(crate) fn send_to(&mut self, path: &str) -> Task<Result<ApiResponse, ApiError>> {
        let session = self.session.clone();
        let request = ApiRequest::new(Method::Get, path);
        self.spawn(async move { session.send(request).await })
    }

    /// Answers the oldest open request to `path`. It must exist.
    pub(crate) fn answer(&mut self, path: &str, answer: ApiResponse) {
        self.server.answer(path, Ok(answer));
        self.run_until_idle();
    }

    /// Fails the oldest open request to `path` without a response.
    pub(crate) fn lose(&mut self, path: &str) {
        self.server.answer(path, Err(TransportError));
        self.run_until_idle();
    }

    /// Lets time pass; every timer fires when it is due.
    pub(crate) fn advance(&mut self, duration: Duration) {
        let end = self.clock.get() + duration;
        while let Some(deadline) = self.timer.next_deadline().filter(|deadline| *deadline <= end) {
            self.clock.set(deadline.max(self.clock.get()));
            self.timer.fire_due();
            self.run_until_idle();
        }
        self.clock.set(end);
    }

    /// Closes the laptop's lid: the clock continues, and no timer fires until it is opened again.
    pub(crate) fn sleep_without_timers(&mut self, duration: Duration) {
        self.clock.set(self.clock.get() + duration);
    }

    /// Opens the lid: every overdue timer fires now, once.
    pub(crate) fn fire_overdue_timers(&mut self) {
        self.timer.fire_due();
        self.run_until_idle();
    }

    /// From now on the timer fires after this long at the latest, as a browser's does after 24.8 days.
    pub(crate) fn set_max_timer_wait(&mut self, longest: Duration) {
        self.timer.set_max_wait(longest);
    }

    pub(crate) fn now(&self) -> Duration {
        self.clock.get()
    }

    /// Every request that was ever sent.
    pub(crate) fn log(&self) -> Vec<RecordedRequest> {
        self.server.log()
    }

    /// The number of requests that were ever sent to `path`.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.log().iter().filter(|request| request.path == path).count()
    }

    /// The paths of the requests that wait for a response, oldest first.
    pub(crate) fn open_paths(&self) -> Vec<String> {
        self.server.open_paths()
    }

    /// Every view that a listener received, in order.
    pub(crate) fn views(&self) -> Vec<SessionView> {
        self.views.borrow().clone()
    }

    fn run_until_idle(&mut self) {
        self.pool.run_until_stalled();
    }
}

/// Keeps `user` consistent with the names that the servers here use.
#[test]
fn user_matches_the_server_responses() {
    assert_eq!(user("ada").id, "id-ada");
}
