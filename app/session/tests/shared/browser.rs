//! A browser with several tabs: one cookie jar, one pair of locks, one channel, one marker.
//!
//! The test controls three moments of a request: it is sent, it *arrives* (the server acts), and its response is
//! *delivered* (the jar stores the cookie and the tab gets the response) or lost.
//!
//! - `requests` the requests under way, `messages` the messages between tabs, `time` the clock and the timers
//! - `state` what the tabs share, `tab_ports` each tab's ports to it

mod messages;
mod requests;
mod state;
mod tab_ports;
mod time;

use std::{
    cell::{Ref, RefCell},
    rc::Rc,
    time::Duration,
};

use api_types::auth::{LoginRequest, User};
use futures::{
    FutureExt,
    executor::LocalPool,
    future::{abortable, join},
    task::LocalSpawnExt,
};
use session_client::{
    ApiError, ApiRequest, ApiResponse, BrowserEvent, Method, Ports, SessionManager, SessionView,
};

use self::{
    state::{BrowserState, TabState},
    tab_ports::TabPorts,
};
use super::{
    FakeClock, FakeTimer, FixedJitter, JournalEntry, JournalEvent, NOTES, Task, TestServer,
    journal::displayed_user, secs,
};

pub(crate) use self::tab_ports::LockBehaviour;

/// The manager's timeout for the first lock.
const LOCK_TIMEOUT: Duration = secs(2);

pub(crate) struct TestBrowser<S: TestServer> {
    pool: LocalPool,
    clock: FakeClock,
    timer: FakeTimer,
    state: Rc<BrowserState<S>>,
    lock: LockBehaviour,
    channel: bool,
    /// The same in all tabs, or a different one in each of the first fifty.
    jitter: Option<f64>,
    /// The transport's timeout.
    request_timeout: Duration,
    /// No wait for the lock times out.
    prevents_lock_timeouts: bool,
    tabs: Vec<SessionManager>,
    views: Vec<Rc<RefCell<Vec<SessionView>>>>,
}

impl<S: TestServer> TestBrowser<S> {
    pub(crate) fn new(lock: LockBehaviour, channel: bool) -> Self {
        let clock = FakeClock::default();
        Self {
            pool: LocalPool::new(),
            timer: FakeTimer::new(clock.clone()),
            state: Rc::new(BrowserState::new(&clock)),
            clock,
            lock,
            channel,
            jitter: Some(0.5),
            request_timeout: Duration::MAX,
            prevents_lock_timeouts: false,
            tabs: vec![],
            views: vec![],
        }
    }

    /// Opens this many tabs, with ada signed in in all of them.
    pub(crate) fn with_signed_in_tabs(tabs: usize, lock: LockBehaviour, channel: bool) -> Self {
        let mut browser = Self::new(lock, channel);
        browser.add_session_cookie();
        for _ in 0..tabs {
            browser.open_tab(SessionView::Restoring);
            browser.answer_all();
        }
        for tab in 0..tabs {
            assert_eq!(browser.displayed_name(tab), Some("ada".into()));
        }
        browser.drop_messages();
        browser
    }

    /// The same with a lock for which a tab may have to wait.
    pub(crate) fn with_tabs_after_lock_timeout(tabs: usize, lock: LockBehaviour, channel: bool) -> Self {
        let mut browser = Self::new(lock, channel);
        browser.add_session_cookie();
        for _ in 0..tabs {
            browser.open_tab(SessionView::Restoring);
        }
        browser.advance(LOCK_TIMEOUT);
        browser.answer_all();
        browser
    }

    /// Gives each tab that is opened from now on a different jitter.
    pub(crate) fn spread_jitter(&mut self) {
        self.jitter = None;
    }

    /// Sets the transport's timeout.
    pub(crate) fn set_request_timeout(&mut self, timeout: Duration) {
        self.request_timeout = timeout;
    }

    /// From now on every request is answered before a wait for the lock times out.
    pub(crate) fn prevent_lock_timeouts(&mut self) {
        self.prevents_lock_timeouts = true;
    }

    /// Holds the first lock permanently, as an unresponsive tab does.
    pub(crate) fn hold_lock_forever(&mut self) {
        self.state.first_lock.held.set(true);
    }

    /// Puts a cookie of ada's into the jar, as from an earlier visit.
    pub(crate) fn add_session_cookie(&mut self) {
        let cookie = self.state.server.borrow_mut().begin("ada");
        self.state.jar.set(Some(cookie));
    }

    /// The user clears the cookies.
    pub(crate) fn clear_cookies(&mut self) {
        self.state.jar.set(None);
    }

    /// Loads a page, which restores its session.
    pub(crate) fn open_tab(&mut self, initial: SessionView) -> usize {
        let number = self.tabs.len();
        self.state.tabs.borrow_mut().push(TabState::default());
        let tab = Rc::new(TabPorts {
            number,
            state: Rc::clone(&self.state),
            lock: self.lock,
            channel: self.channel,
        });
        let ports = Ports {
            transport: tab.clone(),
            timer: Rc::new(self.timer.clone()),
            clock: Rc::new(self.clock.clone()),
            jitter: Rc::new(FixedJitter(self.jitter.unwrap_or_else(|| jitter_of(number)))),
            lock: tab.clone(),
            channel: tab.clone(),
            marker: tab.clone(),
            browser_events: tab,
        };
        let (session, driver) = SessionManager::new(ports, initial);
        let views = Rc::<RefCell<Vec<_>>>::default();
        let seen = Rc::clone(&views);
        let state = Rc::clone(&self.state);
        session.on_change(move |view| {
            state.record(number, JournalEvent::ViewChanged(view.clone()));
            seen.borrow_mut().push(view);
        });
        let restoring = session.clone();
        self.tabs.push(session);
        self.views.push(views);
        self.state.record(number, JournalEvent::Loaded);
        self.spawn(
            number,
            join(driver, async move { restoring.restore().await }).map(drop),
        );
        number
    }

    /// Closes a tab. Its code stops, and its requests are cut off.
    pub(crate) fn close_tab(&mut self, tab: usize) {
        self.abandon_tab(tab);
        self.state
            .open_requests
            .borrow_mut()
            .retain(|open| open.tab != tab);
    }

    /// The same, but its requests may still arrive. Neither the tab nor the jar gets their responses.
    pub(crate) fn abandon_tab(&mut self, tab: usize) {
        self.state.record(tab, JournalEvent::Closed);
        let tasks = {
            let tab = &mut self.state.tabs.borrow_mut()[tab];
            tab.closed = true;
            std::mem::take(&mut tab.tasks)
        };
        for open in &mut *self.state.open_requests.borrow_mut() {
            if open.tab == tab {
                open.reply = None;
            }
        }
        for task in tasks {
            task.abort();
        }
        self.poll_tasks();
    }

    /// Number of tabs that were ever opened.
    pub(crate) fn tabs(&self) -> usize {
        self.tabs.len()
    }

    /// The tabs that are not closed.
    pub(crate) fn open_tabs(&self) -> Vec<usize> {
        let tabs = self.state.tabs.borrow();
        (0..tabs.len()).filter(|tab| !tabs[*tab].closed).collect()
    }

    pub(crate) fn view(&self, tab: usize) -> SessionView {
        self.tabs[tab].view()
    }

    /// The name of the user that this tab shows.
    pub(crate) fn displayed_name(&self, tab: usize) -> Option<String> {
        let view = self.view(tab);
        Some(displayed_user(&view)?.id.trim_start_matches("id-").to_owned())
    }

    pub(crate) fn is_anonymous(&self, tab: usize) -> bool {
        matches!(self.view(tab), SessionView::Anonymous { .. })
    }

    /// Every view that this tab ever had.
    pub(crate) fn views(&self, tab: usize) -> Vec<SessionView> {
        self.views[tab].borrow().clone()
    }

    /// Whether the marker of an unfinished sign-out is set.
    pub(crate) fn marker_set(&self) -> bool {
        self.state.marker.get()
    }

    /// The user whose active session the jar's cookie identifies.
    pub(crate) fn cookie_owner(&self) -> Option<String> {
        let cookie = self.state.jar.get()?;
        self.state.server.borrow().owner(cookie)
    }

    /// Number of active sessions on the server.
    pub(crate) fn active_sessions(&self) -> usize {
        self.state.server.borrow().active_sessions()
    }

    /// Reads the server, or changes it in a way that no request of this browser does.
    pub(crate) fn on_server<T>(&self, f: impl FnOnce(&mut S) -> T) -> T {
        f(&mut self.state.server.borrow_mut())
    }

    /// Everything that happened.
    pub(crate) fn journal(&self) -> Ref<'_, Vec<JournalEntry>> {
        self.state.journal.borrow()
    }

    pub(crate) fn sign_out(&mut self, tab: usize) {
        drop(self.tabs[tab].sign_out());
        self.poll_tasks();
    }

    pub(crate) fn sign_in(&mut self, tab: usize, name: &str) -> Task<Result<User, ApiError>> {
        let session = self.tabs[tab].clone();
        let request = LoginRequest {
            email: format!("{name}@example.com"),
            password: "correct horse battery".into(),
            remember: true,
        };
        self.start(tab, async move { session.sign_in(request).await })
    }

    /// Sends a request with the access token.
    pub(crate) fn send(&mut self, tab: usize) -> Task<Result<ApiResponse, ApiError>> {
        let session = self.tabs[tab].clone();
        let request = ApiRequest::new(Method::Get, NOTES);
        self.state.record(tab, JournalEvent::TokenNeeded);
        self.start(tab, async move { session.send(request).await })
    }

    /// Sends a browser event to a tab.
    pub(crate) fn fire_event(&mut self, tab: usize, event: BrowserEvent) {
        let tabs = self.state.tabs.borrow();
        if let Some(on_event) = &tabs[tab].on_event {
            self.state.record(tab, JournalEvent::Browser(event));
            on_event(event);
        }
        drop(tabs);
        self.poll_tasks();
    }

    fn start<T: 'static>(&mut self, tab: usize, future: impl Future<Output = T> + 'static) -> Task<T> {
        let (task, run) = Task::of(future);
        self.spawn(tab, run);
        task
    }

    /// Runs a future in a page, until the page is closed.
    fn spawn(&mut self, tab: usize, future: impl Future<Output = ()> + 'static) {
        let (future, handle) = abortable(future);
        self.state.tabs.borrow_mut()[tab].tasks.push(handle);
        let spawner = self.pool.spawner();
        spawner.spawn_local(future.map(drop)).expect("the pool takes it");
        self.poll_tasks();
    }

    fn poll_tasks(&mut self) {
        self.pool.run_until_stalled();
    }
}

fn jitter_of(tab: usize) -> f64 {
    f64::from(u32::try_from(tab).expect("few tabs")) / 50.0
}
