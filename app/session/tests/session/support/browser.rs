//! A browser with several tabs: one cookie jar, one lock, one channel, one marker, and a server that knows sessions.
//!
//! A request has three moments that the test chooses: it is sent, it *arrives* (the server acts), and its answer is
//! *delivered* (the jar takes the cookie over and the tab hears of it) or lost.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    time::Duration,
};

use api_types::{auth::LoginRequest, paths};
use futures::{
    FutureExt, channel::oneshot, executor::LocalPool, future::LocalBoxFuture, task::LocalSpawnExt,
};
use session_client::{
    ApiError, ApiRequest, ApiResponse, Clock as _, Method, News, Ports, SessionManager, SessionView,
    SignOutMarker, TabChannel, TabLock, Transport, TransportError, Turn, Wakeup, Wakeups,
};

use super::fakes::{Clock, Timer};
use super::{
    FixedJitter, NOTES, Task, granted, ok, problem, problem_with_reason, signed_in, user, user_answer,
};

type Answer = Result<ApiResponse, TransportError>;

/// What the browser sends in the refresh cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cookie {
    session: usize,
    generation: u64,
}

/// What an answer does to the jar.
enum SetCookie {
    No,
    Delete,
    To(Cookie),
}

struct ServerSession {
    user: String,
    generation: u64,
    ended: Option<&'static str>,
}

struct Open {
    tab: usize,
    request: ApiRequest,
    cookie: Option<Cookie>,
    /// Set when it has arrived: the answer, and what becomes of the jar.
    outcome: Option<(ApiResponse, SetCookie)>,
    reply: oneshot::Sender<Answer>,
}

/// How the lock behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    Works,
    /// The browser has no Web Locks.
    Missing,
    /// A tab that was frozen, or died in some half-dead way, holds it for ever.
    HeldByTheDead,
}

#[derive(Default)]
struct World {
    jar: Cell<Option<Cookie>>,
    sessions: RefCell<Vec<ServerSession>>,
    open: RefCell<Vec<Open>>,
    log: RefCell<Vec<(usize, String)>>,
    marker: Cell<bool>,
    locked: Cell<bool>,
    line: RefCell<VecDeque<oneshot::Sender<()>>>,
    /// What was told and not yet heard: to whom, and the text as it travels.
    news: RefCell<Vec<(usize, String)>>,
    told: RefCell<Vec<String>>,
    tabs: RefCell<Vec<TabEnds>>,
}

#[derive(Default)]
struct TabEnds {
    hear: Option<Box<dyn Fn(News)>>,
    wake: Option<Box<dyn Fn(Wakeup)>>,
    closed: bool,
}

/// One tab's view of the world.
#[derive(Clone)]
struct Tab {
    number: usize,
    world: Rc<World>,
    lock: Lock,
    channel: bool,
}

pub(crate) struct Browser {
    pool: LocalPool,
    clock: Clock,
    timer: Timer,
    world: Rc<World>,
    lock: Lock,
    channel: bool,
    /// The same in all tabs, or a different one in each of the first fifty.
    jitter: Option<f64>,
    tabs: Vec<SessionManager>,
    views: Vec<Rc<RefCell<Vec<SessionView>>>>,
}

impl Browser {
    pub(crate) fn new(lock: Lock, channel: bool) -> Self {
        let clock = Clock::default();
        Self {
            pool: LocalPool::new(),
            timer: Timer::new(clock.clone()),
            clock,
            world: Rc::default(),
            lock,
            channel,
            jitter: Some(0.5),
            tabs: vec![],
            views: vec![],
        }
    }

    /// So many tabs, in all of which ada is signed in.
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

    /// The same with a lock for which one may have to wait.
    pub(crate) fn with_ada_in_slowly(tabs: usize, lock: Lock, channel: bool) -> Self {
        let mut browser = Self::new(lock, channel);
        browser.sign_ada_in_elsewhere();
        for _ in 0..tabs {
            browser.open_tab(SessionView::Restoring);
        }
        browser.advance(Duration::from_secs(2));
        browser.serve();
        browser
    }

    /// Tabs that are opened from now on have jitters of their own.
    pub(crate) fn spread(&mut self) {
        self.jitter = None;
    }

    /// The jar holds a cookie of ada's, as from a former visit.
    pub(crate) fn sign_ada_in_elsewhere(&mut self) {
        let cookie = self.world.begin("ada");
        self.world.jar.set(Some(cookie));
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
        session.on_change(move |view| seen.borrow_mut().push(view));
        let spawner = self.pool.spawner();
        spawner.spawn_local(driver).expect("the pool takes it");
        let restoring = session.clone();
        spawner
            .spawn_local(async move {
                restoring.restore().await;
            })
            .expect("the pool takes it");
        self.tabs.push(session);
        self.views.push(views);
        self.settle();
        number
    }

    /// Nothing runs in this tab any more. What it holds, it holds for ever.
    pub(crate) fn freeze_lock(&mut self) {
        self.world.locked.set(true);
    }

    /// Takes a tab's ears away: it is closed.
    pub(crate) fn close_tab(&mut self, tab: usize) {
        self.world.tabs.borrow_mut()[tab].closed = true;
        self.world.open.borrow_mut().retain(|open| open.tab != tab);
    }

    pub(crate) fn view(&self, tab: usize) -> SessionView {
        self.tabs[tab].view()
    }

    /// The name of the person whom this tab shows.
    pub(crate) fn shown(&self, tab: usize) -> Option<String> {
        match self.view(tab) {
            SessionView::SignedIn { user, .. } | SessionView::Reconnecting { user: Some(user) } => {
                Some(user.id.trim_start_matches("id-").to_owned())
            }
            _ => None,
        }
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

    /// Whose live session the jar's cookie leads to.
    pub(crate) fn jar_leads_to(&self) -> Option<String> {
        let cookie = self.world.jar.get()?;
        let sessions = self.world.sessions.borrow();
        let session = &sessions[cookie.session];
        session.ended.is_none().then(|| session.user.clone())
    }

    /// How many sessions are alive on the server.
    pub(crate) fn alive(&self) -> usize {
        let sessions = self.world.sessions.borrow();
        sessions.iter().filter(|session| session.ended.is_none()).count()
    }

    /// Ends ada's session from another device.
    pub(crate) fn revoke_all(&mut self) {
        for session in &mut *self.world.sessions.borrow_mut() {
            session.ended.get_or_insert("revoked_by_user");
        }
    }

    pub(crate) fn sign_out(&mut self, tab: usize) {
        drop(self.tabs[tab].sign_out());
        self.settle();
    }

    pub(crate) fn sign_in(&mut self, tab: usize, name: &str) {
        let session = self.tabs[tab].clone();
        let request = LoginRequest {
            email: format!("{name}@example.com"),
            password: "correct horse battery".into(),
            remember: true,
        };
        self.spawn(async move { session.sign_in(request).await });
    }

    /// Asks for something of the signed-in person's.
    pub(crate) fn send(&mut self, tab: usize) -> Task<Result<ApiResponse, ApiError>> {
        let session = self.tabs[tab].clone();
        let request = ApiRequest::new(Method::Get, NOTES);
        self.spawn(async move { session.send(request).await })
    }

    fn spawn<T: 'static>(&mut self, future: impl Future<Output = T> + 'static) -> Task<T> {
        let task = Task(Rc::default());
        let result = Rc::clone(&task.0);
        let run = async move {
            let value = future.await;
            result.borrow_mut().replace(value);
        };
        self.pool.spawner().spawn_local(run).expect("the pool takes it");
        self.settle();
        task
    }

    /// How many requests wait for an answer.
    pub(crate) fn open(&self) -> usize {
        self.world.open.borrow().len()
    }

    /// The open requests: which tab, and where to.
    pub(crate) fn open_paths(&self) -> Vec<(usize, String)> {
        let open = self.world.open.borrow();
        open.iter()
            .map(|open| (open.tab, open.request.path.clone()))
            .collect()
    }

    /// How many requests were ever sent to `path`, by any tab.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.world
            .log
            .borrow()
            .iter()
            .filter(|(_, sent)| sent == path)
            .count()
    }

    /// Lets the server act on the open request number `index`, if it has not yet.
    pub(crate) fn arrive(&mut self, index: usize) {
        let (request, cookie) = {
            let open = self.world.open.borrow();
            if open[index].outcome.is_some() {
                return;
            }
            (open[index].request.clone(), open[index].cookie)
        };
        let outcome = self.world.act(&request, cookie);
        self.world.open.borrow_mut()[index].outcome = Some(outcome);
    }

    /// Lets the answer to the open request number `index` come in.
    pub(crate) fn deliver(&mut self, index: usize) {
        self.arrive(index);
        let open = self.world.open.borrow_mut().remove(index);
        let (answer, jar) = open.outcome.expect("it has arrived");
        match jar {
            SetCookie::No => {}
            SetCookie::Delete => self.world.jar.set(None),
            SetCookie::To(cookie) => self.world.jar.set(Some(cookie)),
        }
        let _ = open.reply.send(Ok(answer));
        self.settle();
    }

    /// Cuts the connection of the open request number `index`.
    pub(crate) fn lose(&mut self, index: usize) {
        let open = self.world.open.borrow_mut().remove(index);
        let _ = open.reply.send(Err(TransportError));
        self.settle();
    }

    pub(crate) fn lose_all(&mut self) {
        while self.open() > 0 {
            self.lose(0);
        }
    }

    /// Answers everything, in order, until nobody asks any more.
    pub(crate) fn serve(&mut self) {
        for _ in 0..10_000 {
            if self.open() == 0 {
                return;
            }
            self.deliver(0);
        }
        panic!("the tabs never stop asking: {:?}", self.open_paths());
    }

    /// How many pieces of news are on their way.
    pub(crate) fn news(&self) -> usize {
        self.world.news.borrow().len()
    }

    /// What was ever told, by any tab.
    pub(crate) fn told(&self) -> Vec<String> {
        self.world.told.borrow().clone()
    }

    /// Delivers one piece of news.
    pub(crate) fn hear(&mut self, index: usize) {
        let (tab, text) = self.world.news.borrow_mut().remove(index);
        self.hear_text(tab, &text);
    }

    /// Delivers a piece of news that nobody may have told just now.
    pub(crate) fn hear_text(&mut self, tab: usize, text: &str) {
        let tabs = self.world.tabs.borrow();
        if let (Some(hear), Some(news), false) = (&tabs[tab].hear, News::from_text(text), tabs[tab].closed) {
            hear(news);
        }
        drop(tabs);
        self.settle();
    }

    /// Delivers all news, in order.
    pub(crate) fn hear_all(&mut self) {
        while self.news() > 0 {
            self.hear(0);
        }
    }

    /// Lets everything happen that can happen without time passing.
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
            wake(wakeup);
        }
        drop(tabs);
        self.settle();
    }

    /// Lets time pass, with every timer firing when it should.
    pub(crate) fn advance(&mut self, duration: Duration) {
        let end = self.clock.get() + duration;
        while let Some(deadline) = self.timer.next_deadline().filter(|deadline| *deadline <= end) {
            self.clock.set(deadline.max(self.clock.get()));
            self.timer.fire_due();
            self.settle();
        }
        self.clock.set(end);
    }

    /// Lets time pass as it does where everything works: whatever a timer sets off is over before the next one fires.
    pub(crate) fn live(&mut self, duration: Duration) {
        let end = self.clock.get() + duration;
        while let Some(deadline) = self.timer.next_deadline().filter(|deadline| *deadline <= end) {
            self.clock.set(deadline.max(self.clock.get()));
            self.timer.fire_due();
            self.settle();
            self.calm_down();
        }
        self.clock.set(end);
    }

    /// The laptop's lid is closed for so long, and opened.
    pub(crate) fn sleep_and_wake(&mut self, duration: Duration) {
        self.clock.set(self.clock.get() + duration);
        self.timer.fire_due();
        self.settle();
    }

    /// Time passes, and no timer fires: the browser holds them back.
    pub(crate) fn skip_to(&mut self, now: Duration) {
        self.clock.set(now);
    }

    /// News that nobody will ever hear, or hear of.
    pub(crate) fn drop_news(&mut self) {
        self.world.news.borrow_mut().clear();
        self.world.told.borrow_mut().clear();
    }

    pub(crate) fn now(&self) -> Duration {
        self.clock.now()
    }

    fn settle(&mut self) {
        self.pool.run_until_stalled();
    }
}

impl World {
    fn begin(&self, name: &str) -> Cookie {
        let mut sessions = self.sessions.borrow_mut();
        sessions.push(ServerSession {
            user: name.to_owned(),
            generation: 1,
            ended: None,
        });
        Cookie {
            session: sessions.len() - 1,
            generation: 1,
        }
    }

    fn end(&self, cookie: Option<Cookie>, reason: &'static str) {
        if let Some(cookie) = cookie {
            self.sessions.borrow_mut()[cookie.session]
                .ended
                .get_or_insert(reason);
        }
    }

    /// The server, as far as a browser can tell. Within seconds, so the parent of the live token is always answered with
    /// the same successor, and older ones with 409.
    fn act(&self, request: &ApiRequest, cookie: Option<Cookie>) -> (ApiResponse, SetCookie) {
        match request.path.as_str() {
            paths::REFRESH => self.refresh(cookie),
            paths::LOGOUT => {
                self.end(cookie, "logout");
                let done = ApiResponse {
                    status: 204,
                    ..ok("")
                };
                (done, SetCookie::Delete)
            }
            paths::LOGIN => {
                let body = request.body.as_deref().unwrap_or_default();
                let name = ["ada", "bob"]
                    .into_iter()
                    .find(|name| body.contains(&format!("{name}@example.com")));
                let Some(name) = name else {
                    return (problem(401, "invalid_credentials"), SetCookie::No);
                };
                self.end(cookie, "replaced");
                let cookie = self.begin(name);
                (signed_in(&token(cookie), name), SetCookie::To(cookie))
            }
            path => {
                let sessions = self.sessions.borrow();
                let bearer = request.bearer.as_ref().map(|token| token.expose().to_owned());
                let session = bearer
                    .and_then(|token| token.split('-').nth(1)?.parse::<usize>().ok())
                    .map(|number| &sessions[number]);
                match session {
                    Some(session) if session.ended.is_none() && path == paths::ME => {
                        (user_answer(&session.user), SetCookie::No)
                    }
                    Some(session) if session.ended.is_none() => {
                        (ok(format!("\"{}\"", session.user)), SetCookie::No)
                    }
                    _ => (problem(401, "invalid_token"), SetCookie::No),
                }
            }
        }
    }

    fn refresh(&self, cookie: Option<Cookie>) -> (ApiResponse, SetCookie) {
        let Some(cookie) = cookie else {
            return (problem(401, "refresh_missing"), SetCookie::No);
        };
        let session = &mut self.sessions.borrow_mut()[cookie.session];
        if let Some(reason) = session.ended {
            return (
                problem_with_reason(401, "session_revoked", reason),
                SetCookie::Delete,
            );
        }
        if cookie.generation == session.generation {
            session.generation += 1;
        } else if cookie.generation + 1 != session.generation {
            return (problem(409, "refresh_superseded"), SetCookie::No);
        }
        let successor = Cookie {
            generation: session.generation,
            ..cookie
        };
        (granted(&token(successor)), SetCookie::To(successor))
    }
}

fn spread(tab: usize) -> f64 {
    f64::from(u32::try_from(tab).expect("few tabs")) / 50.0
}

fn token(cookie: Cookie) -> String {
    format!("token-{}-{}", cookie.session, cookie.generation)
}

impl Transport for Tab {
    fn send(&self, request: ApiRequest) -> LocalBoxFuture<'static, Answer> {
        let (reply, answer) = oneshot::channel();
        self.world
            .log
            .borrow_mut()
            .push((self.number, request.path.clone()));
        self.world.open.borrow_mut().push(Open {
            tab: self.number,
            cookie: self.world.jar.get(),
            request,
            outcome: None,
            reply,
        });
        answer
            .map(|answer| answer.unwrap_or(Err(TransportError)))
            .boxed_local()
    }
}

/// Gives the lock to the next in line who still waits.
struct Held(Rc<World>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.locked.set(false);
        loop {
            let Some(next) = self.0.line.borrow_mut().pop_front() else {
                return;
            };
            if next.send(()).is_ok() {
                self.0.locked.set(true);
                return;
            }
        }
    }
}

impl TabLock for Tab {
    fn turn(&self) -> LocalBoxFuture<'static, Option<Turn>> {
        let world = Rc::clone(&self.world);
        match self.lock {
            Lock::Missing => std::future::ready(None).boxed_local(),
            Lock::HeldByTheDead => std::future::pending().boxed_local(),
            Lock::Works if !world.locked.replace(true) => {
                std::future::ready(Some(Box::new(Held(world)) as Box<dyn Any>)).boxed_local()
            }
            Lock::Works => {
                let (grant, granted) = oneshot::channel();
                world.line.borrow_mut().push_back(grant);
                granted
                    .map(move |granted| granted.ok().map(|()| Box::new(Held(world)) as Box<dyn Any>))
                    .boxed_local()
            }
        }
    }
}

impl TabChannel for Tab {
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

impl SignOutMarker for Tab {
    fn is_set(&self) -> bool {
        self.world.marker.get()
    }

    fn set(&self, there: bool) {
        self.world.marker.set(there);
    }
}

impl Wakeups for Tab {
    fn listen(&self, wake: Box<dyn Fn(Wakeup)>) {
        self.world.tabs.borrow_mut()[self.number].wake = Some(wake);
    }
}

/// So that `user` stays in step with the names that the server here knows.
#[test]
fn the_server_names_people_as_the_answers_do() {
    assert_eq!(user("ada").id, "id-ada");
}
