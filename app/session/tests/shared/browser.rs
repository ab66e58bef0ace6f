//! A browser with several tabs: one cookie jar, one pair of locks, one channel, one marker.
//!
//! The test controls three moments of a request: it is sent, it *arrives* (the server acts), and its response is
//! *delivered* (the jar stores the cookie and the tab gets the response) or lost.

mod world;

use std::{
    cell::{Ref, RefCell},
    rc::Rc,
    time::Duration,
};

use api_types::{
    auth::{LoginRequest, User},
    paths,
};
use futures::{
    FutureExt,
    executor::LocalPool,
    future::{abortable, join},
    task::LocalSpawnExt,
};
use session_client::{
    ApiError, ApiRequest, ApiResponse, Method, News, Ports, SessionManager, SessionView, TransportError,
    Wakeup,
};

pub(crate) use self::world::Lock;
use self::world::{Open, Tab, TabEnds, World};
use super::{
    Answer, Clock, Entry, FixedJitter, NOTES, Server, SetCookie, Task, Timer, What, answers::problem,
    journal::person_in, secs,
};

/// The timeout of a tab's wait for the first lock.
const LOCK_PATIENCE: Duration = secs(2);

pub(crate) struct Browser<S: Server> {
    pool: LocalPool,
    clock: Clock,
    timer: Timer,
    world: Rc<World<S>>,
    lock: Lock,
    channel: bool,
    /// The same in all tabs, or a different one in each of the first fifty.
    jitter: Option<f64>,
    /// The transport's timeout.
    give_up_after: Duration,
    /// No wait for the lock times out.
    prompt: bool,
    tabs: Vec<SessionManager>,
    views: Vec<Rc<RefCell<Vec<SessionView>>>>,
}

impl<S: Server> Browser<S> {
    pub(crate) fn new(lock: Lock, channel: bool) -> Self {
        let clock = Clock::default();
        Self {
            pool: LocalPool::new(),
            timer: Timer::new(clock.clone()),
            world: Rc::new(World::new(&clock)),
            clock,
            lock,
            channel,
            jitter: Some(0.5),
            give_up_after: Duration::MAX,
            prompt: false,
            tabs: vec![],
            views: vec![],
        }
    }

    /// Opens this many tabs, with ada signed in in all of them.
    pub(crate) fn with_ada_in(tabs: usize, lock: Lock, channel: bool) -> Self {
        let mut browser = Self::new(lock, channel);
        browser.sign_ada_in_elsewhere();
        for _ in 0..tabs {
            browser.open_tab(SessionView::Restoring);
            browser.serve();
        }
        for tab in 0..tabs {
            assert_eq!(browser.shown(tab), Some("ada".into()));
        }
        browser.drop_news();
        browser
    }

    /// The same with a lock for which a tab may have to wait.
    pub(crate) fn with_ada_in_slowly(tabs: usize, lock: Lock, channel: bool) -> Self {
        let mut browser = Self::new(lock, channel);
        browser.sign_ada_in_elsewhere();
        for _ in 0..tabs {
            browser.open_tab(SessionView::Restoring);
        }
        browser.advance(LOCK_PATIENCE);
        browser.serve();
        browser
    }

    /// Tabs that are opened from now on have different jitters.
    pub(crate) fn spread(&mut self) {
        self.jitter = None;
    }

    /// From now on the transport uses this timeout.
    pub(crate) fn give_up_after(&mut self, longest: Duration) {
        self.give_up_after = longest;
    }

    /// From now on every request is answered before a wait for the lock times out.
    pub(crate) fn be_prompt(&mut self) {
        self.prompt = true;
    }

    /// The jar holds a cookie of ada's, as from an earlier visit.
    pub(crate) fn sign_ada_in_elsewhere(&mut self) {
        let cookie = self.world.server.borrow_mut().begin("ada");
        self.world.jar.set(Some(cookie));
    }

    /// The user clears the cookies.
    pub(crate) fn clear_cookies(&mut self) {
        self.world.jar.set(None);
    }

    /// Loads a page, which restores its session.
    pub(crate) fn open_tab(&mut self, initial: SessionView) -> usize {
        let number = self.tabs.len();
        self.world.tabs.borrow_mut().push(TabEnds::default());
        let tab = Rc::new(Tab {
            number,
            world: Rc::clone(&self.world),
            lock: self.lock,
            channel: self.channel,
        });
        let ports = Ports {
            transport: tab.clone(),
            timer: Rc::new(self.timer.clone()),
            clock: Rc::new(self.clock.clone()),
            jitter: Rc::new(FixedJitter(self.jitter.unwrap_or_else(|| spread(number)))),
            lock: tab.clone(),
            channel: tab.clone(),
            marker: tab.clone(),
            wakeups: tab,
        };
        let (session, driver) = SessionManager::new(ports, initial);
        let views = Rc::<RefCell<Vec<_>>>::default();
        let seen = Rc::clone(&views);
        let world = Rc::clone(&self.world);
        session.on_change(move |view| {
            world.note(number, What::Shows(view.clone()));
            seen.borrow_mut().push(view);
        });
        let restoring = session.clone();
        self.tabs.push(session);
        self.views.push(views);
        self.world.note(number, What::Loaded);
        self.run(
            number,
            join(driver, async move { restoring.restore().await }).map(drop),
        );
        number
    }

    /// An unresponsive tab holds the first lock permanently.
    pub(crate) fn freeze_lock(&mut self) {
        self.world.first.held.set(true);
    }

    /// Closes a tab. Its code stops, and its requests are cut off.
    pub(crate) fn close_tab(&mut self, tab: usize) {
        self.leave_tab(tab);
        self.world.open.borrow_mut().retain(|open| open.tab != tab);
    }

    /// The same, but its requests may still arrive. Neither the tab nor the jar gets their responses.
    pub(crate) fn leave_tab(&mut self, tab: usize) {
        self.world.note(tab, What::Closed);
        let running = {
            let ends = &mut self.world.tabs.borrow_mut()[tab];
            ends.closed = true;
            std::mem::take(&mut ends.running)
        };
        for open in &mut *self.world.open.borrow_mut() {
            if open.tab == tab {
                open.reply = None;
            }
        }
        for task in running {
            task.abort();
        }
        self.settle();
    }

    /// Number of tabs that were ever opened.
    pub(crate) fn tabs(&self) -> usize {
        self.tabs.len()
    }

    /// The tabs that are not closed.
    pub(crate) fn open_tabs(&self) -> Vec<usize> {
        let tabs = self.world.tabs.borrow();
        (0..tabs.len()).filter(|tab| !tabs[*tab].closed).collect()
    }

    pub(crate) fn view(&self, tab: usize) -> SessionView {
        self.tabs[tab].view()
    }

    /// The name of the user that this tab shows.
    pub(crate) fn shown(&self, tab: usize) -> Option<String> {
        Some(
            person_in(&self.view(tab))?
                .id
                .trim_start_matches("id-")
                .to_owned(),
        )
    }

    pub(crate) fn is_anonymous(&self, tab: usize) -> bool {
        matches!(self.view(tab), SessionView::Anonymous { .. })
    }

    pub(crate) fn views(&self, tab: usize) -> Vec<SessionView> {
        self.views[tab].borrow().clone()
    }

    pub(crate) fn marked(&self) -> bool {
        self.world.marker.get()
    }

    /// The user whose active session the jar's cookie identifies.
    pub(crate) fn jar_leads_to(&self) -> Option<String> {
        let cookie = self.world.jar.get()?;
        self.world.server.borrow().owner(cookie)
    }

    /// Number of active sessions on the server.
    pub(crate) fn alive(&self) -> usize {
        self.world.server.borrow().alive()
    }

    /// Reads the server, or changes it in a way that no request of this browser does.
    pub(crate) fn on_server<T>(&self, act: impl FnOnce(&mut S) -> T) -> T {
        act(&mut self.world.server.borrow_mut())
    }

    pub(crate) fn sign_out(&mut self, tab: usize) {
        drop(self.tabs[tab].sign_out());
        self.settle();
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
        self.world.note(tab, What::Wanted);
        self.start(tab, async move { session.send(request).await })
    }

    fn start<T: 'static>(&mut self, tab: usize, future: impl Future<Output = T> + 'static) -> Task<T> {
        let (task, run) = Task::of(future);
        self.run(tab, run);
        task
    }

    /// Runs a future in a page, until the page is closed.
    fn run(&mut self, tab: usize, future: impl Future<Output = ()> + 'static) {
        let (future, handle) = abortable(future);
        self.world.tabs.borrow_mut()[tab].running.push(handle);
        let spawner = self.pool.spawner();
        spawner.spawn_local(future.map(drop)).expect("the pool takes it");
        self.settle();
    }

    /// Number of requests that wait for a response.
    pub(crate) fn open(&self) -> usize {
        self.world.open.borrow().len()
    }

    /// The open requests: tab and path.
    pub(crate) fn open_paths(&self) -> Vec<(usize, String)> {
        let open = self.world.open.borrow();
        open.iter()
            .map(|open| (open.tab, open.request.path.clone()))
            .collect()
    }

    /// Number of requests that were ever sent to `path`, by any tab.
    pub(crate) fn count(&self, path: &str) -> usize {
        let is_it = |entry: &&Entry| matches!(&entry.what, What::Sent { path: sent } if sent == path);
        self.world.journal.borrow().iter().filter(is_it).count()
    }

    /// Everything that happened.
    pub(crate) fn journal(&self) -> Ref<'_, Vec<Entry>> {
        self.world.journal.borrow()
    }

    /// Lets the server act on the open request number `index`, if it has not yet.
    pub(crate) fn arrive(&mut self, index: usize) {
        self.has_arrived(index);
    }

    /// The same. Returns whether the request is still under way: it may have been lost before it arrived.
    fn has_arrived(&mut self, index: usize) -> bool {
        let (request, cookie, sent_at) = {
            let open = &self.world.open.borrow()[index];
            if open.outcome.is_some() {
                return true;
            }
            (open.request.clone(), open.cookie, open.sent_at)
        };
        let carried = cookie.filter(|_| request.path == paths::REFRESH);
        if carried.is_some_and(|carried| self.world.server.borrow_mut().wants_lost(carried, sent_at)) {
            self.lose(index);
            return false;
        }
        let outcome = self.world.server.borrow_mut().act(&request, cookie);
        self.world.open.borrow_mut()[index].outcome = Some(outcome);
        true
    }

    /// Delivers the response to the open request number `index`.
    pub(crate) fn deliver(&mut self, index: usize) {
        if self.has_arrived(index) {
            self.bring(index, true);
        }
    }

    /// Delivers the head of the response with its cookie, but not the body.
    pub(crate) fn cut(&mut self, index: usize) {
        if self.has_arrived(index) {
            self.bring(index, false);
        }
    }

    fn bring(&mut self, index: usize, whole: bool) {
        let (outcome, carried, is_heard) = {
            let open = &mut self.world.open.borrow_mut()[index];
            (open.outcome.take(), open.cookie, open.reply.is_some())
        };
        let (answer, cookie) = outcome.expect("it has arrived");
        let in_jar = self.world.jar.get();
        if self.on_server(|server| server.wants_answer_lost(cookie, carried, in_jar)) {
            self.lose(index);
            return;
        }
        match cookie {
            SetCookie::Delete | SetCookie::To(_) if !is_heard => {}
            SetCookie::No => {}
            SetCookie::Delete => self.world.jar.set(None),
            SetCookie::To(cookie) => self.world.jar.set(Some(cookie)),
        }
        self.reply(index, if whole { Ok(answer) } else { Err(TransportError) });
    }

    /// Cuts the connection of the open request number `index`.
    pub(crate) fn lose(&mut self, index: usize) {
        self.reply(index, Err(TransportError));
    }

    /// Answers the open request number `index` with 503, if it has not arrived yet: the server does nothing.
    pub(crate) fn turn_away(&mut self, index: usize, retry_after: Option<Duration>) {
        if self.world.open.borrow()[index].outcome.is_none() {
            let busy = problem(503, "busy");
            self.reply(index, Ok(ApiResponse { retry_after, ..busy }));
        }
    }

    fn reply(&mut self, index: usize, answer: Answer) {
        let open = self.world.open.borrow_mut().remove(index);
        let path = open.request.path;
        if let Some(reply) = open.reply {
            let what = match answer.clone() {
                Ok(answer) => What::Answered { path, answer },
                Err(TransportError) => What::Unanswered { path },
            };
            self.world.note(open.tab, what);
            let _ = reply.send(answer);
        }
        self.settle();
    }

    pub(crate) fn lose_all(&mut self) {
        while self.open() > 0 {
            self.lose(0);
        }
    }

    /// Answers every request, in order, until no tab sends another.
    pub(crate) fn serve(&mut self) {
        for _ in 0..10_000 {
            if self.open() == 0 {
                return;
            }
            self.deliver(0);
        }
        panic!("the tabs never stop asking: {:?}", self.open_paths());
    }

    /// Number of messages under way.
    pub(crate) fn news(&self) -> usize {
        self.world.news.borrow().len()
    }

    /// Every message that any tab ever sent.
    pub(crate) fn told(&self) -> Vec<String> {
        self.world.told.borrow().clone()
    }

    /// Delivers one message.
    pub(crate) fn hear(&mut self, index: usize) {
        let (tab, text) = self.world.news.borrow_mut().remove(index);
        self.hear_text(tab, &text);
    }

    /// Delivers one message, and keeps it for a second delivery.
    pub(crate) fn hear_twice(&mut self, index: usize) {
        let (tab, text) = self.world.news.borrow()[index].clone();
        self.hear_text(tab, &text);
    }

    /// Loses one message.
    pub(crate) fn miss(&mut self, index: usize) {
        self.world.news.borrow_mut().remove(index);
    }

    /// Delivers a message that no tab need have sent.
    pub(crate) fn hear_text(&mut self, tab: usize, text: &str) {
        let tabs = self.world.tabs.borrow();
        if let (Some(hear), Some(news), false) = (&tabs[tab].hear, News::from_text(text), tabs[tab].closed) {
            self.world.note(tab, What::Heard(news.clone()));
            hear(news);
        }
        drop(tabs);
        self.settle();
    }

    /// Delivers all messages, in order.
    pub(crate) fn hear_all(&mut self) {
        while self.news() > 0 {
            self.hear(0);
        }
    }

    /// Runs everything that can run without time passing.
    pub(crate) fn calm_down(&mut self) {
        for _ in 0..10_000 {
            if self.news() > 0 {
                self.hear(0);
            } else if self.open() > 0 {
                self.deliver(0);
            } else {
                return;
            }
        }
        panic!("the tabs never calm down: {:?}", self.open_paths());
    }

    pub(crate) fn wake(&mut self, tab: usize, wakeup: Wakeup) {
        let tabs = self.world.tabs.borrow();
        if let Some(wake) = &tabs[tab].wake {
            self.world.note(tab, What::Woken(wakeup));
            wake(wakeup);
        }
        drop(tabs);
        self.settle();
    }

    /// Lets time pass; every timer fires when it is due.
    pub(crate) fn advance(&mut self, duration: Duration) {
        self.pass(duration, |_| ());
    }

    /// Lets time pass as it does if everything works: the effects of a timer are complete before the next one fires.
    pub(crate) fn live(&mut self, duration: Duration) {
        self.pass(duration, Self::calm_down);
    }

    /// Lets time pass on a slow line: each request arrives after `latency`, and its response takes as long again.
    pub(crate) fn live_with_latency(&mut self, latency: Duration, duration: Duration) {
        let end = self.clock.get() + duration;
        loop {
            let open = self.world.open.borrow();
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
                    if self.world.open.borrow()[index].outcome.is_none() {
                        self.arrive(index);
                    } else {
                        self.deliver(index);
                    }
                    self.hear_all();
                }
                _ if timer <= end => {
                    self.clock.set(timer.max(self.clock.get()));
                    self.wake_up();
                    self.hear_all();
                }
                _ => break,
            }
        }
        self.clock.set(end);
    }

    fn pass(&mut self, duration: Duration, after_each: impl Fn(&mut Self)) {
        let end = self.clock.get() + duration;
        while let Some(next) = self.next_moment().filter(|next| *next <= end) {
            let patience_ends = self.world.waiting_since().map(|since| since + LOCK_PATIENCE);
            if self.prompt && patience_ends.is_some_and(|at| at <= next) {
                self.serve();
                continue;
            }
            self.clock.set(next.max(self.clock.get()));
            self.wake_up();
            after_each(self);
        }
        self.clock.set(end);
    }

    /// The time of the next timer or of the next transport timeout.
    fn next_moment(&self) -> Option<Duration> {
        let open = self.world.open.borrow();
        let given_up = open
            .iter()
            .map(|open| open.sent_at.saturating_add(self.give_up_after));
        self.timer.next_deadline().into_iter().chain(given_up).min()
    }

    /// Answers every request, if a wait for the lock would time out otherwise.
    fn be_quick(&mut self) {
        if self.prompt && self.world.waiting_since().is_some() {
            self.serve();
        }
    }

    /// Fires everything that is due.
    fn wake_up(&mut self) {
        self.timer.fire_due();
        self.settle();
        self.give_up();
    }

    fn give_up(&mut self) {
        let (now, longest) = (self.clock.get(), self.give_up_after);
        let is_old = |open: &Open<S::Cookie>| open.sent_at.saturating_add(longest) <= now;
        loop {
            let oldest = self.world.open.borrow().iter().position(is_old);
            let Some(index) = oldest else { return };
            self.lose(index);
        }
    }

    /// Closes the laptop's lid for this long, and opens it.
    pub(crate) fn sleep_and_wake(&mut self, duration: Duration) {
        self.be_quick();
        self.clock.set(self.clock.get() + duration);
        self.wake_up();
    }

    /// Lets time pass without timers: the browser holds them back.
    pub(crate) fn skip_to(&mut self, now: Duration) {
        self.be_quick();
        self.clock.set(now);
        self.give_up();
    }

    /// Drops all messages under way.
    pub(crate) fn drop_news(&mut self) {
        self.world.news.borrow_mut().clear();
        self.world.told.borrow_mut().clear();
    }

    pub(crate) fn now(&self) -> Duration {
        self.clock.get()
    }

    fn settle(&mut self) {
        self.pool.run_until_stalled();
    }
}

fn spread(tab: usize) -> f64 {
    f64::from(u32::try_from(tab).expect("few tabs")) / 50.0
}
