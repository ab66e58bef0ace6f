//! Executes a plan.

use api_types::auth::User;
use session_client::{ApiError, ApiResponse, SessionView, Wakeup};

use crate::{
    keyturn::Keyturn,
    plan::{Action, Network, Plan, Setup},
    shared::{Browser, Task, secs},
};

/// The timeout of a request in the browser's transport.
const TRANSPORT_PATIENCE: std::time::Duration = secs(15);

pub(crate) struct Life {
    pub(crate) browser: Browser<Keyturn>,
    pub(crate) asked: Vec<Asked>,
    /// Sign-ins under way: the tab and the result.
    coming: Vec<(usize, Task<Result<User, ApiError>>)>,
    network: Network,
    /// Pages in the back/forward cache. They are not visible.
    stowed: Vec<usize>,
}

/// A request of a page.
pub(crate) struct Asked {
    /// The user that the page showed when it sent the request.
    pub(crate) shown: Option<String>,
    pub(crate) answer: Task<Result<ApiResponse, ApiError>>,
}

impl Life {
    /// A browser whose jar holds a cookie of ada's.
    pub(crate) fn new(setup: Setup) -> Self {
        let mut browser = Browser::new(setup.lock, setup.channel);
        browser.give_up_after(TRANSPORT_PATIENCE);
        match setup.network {
            Network::Prompt => browser.be_prompt(),
            Network::Bad => browser.on_server(Keyturn::spare),
        }
        if setup.spread {
            browser.spread();
        }
        browser.sign_ada_in_elsewhere();
        for _ in 0..setup.tabs {
            browser.open_tab(SessionView::Restoring);
        }
        Self {
            browser,
            asked: vec![],
            coming: vec![],
            network: setup.network,
            stowed: vec![],
        }
    }

    /// Runs a plan from the beginning until nothing is left to do.
    pub(crate) fn of(plan: &Plan) -> Self {
        let mut life = Self::new(plan.browser);
        for action in &plan.actions {
            life.step(action);
        }
        life.come_to_rest();
        life
    }

    pub(crate) fn step(&mut self, action: &Action) {
        let browser = &mut self.browser;
        let tabs = browser.open_tabs();
        let tab_of = |number: usize| tabs[number % tabs.len()];
        let (open, news) = (browser.open(), browser.news());
        match *action {
            Action::Open if tabs.len() < 6 => {
                browser.open_tab(SessionView::Restoring);
            }
            Action::Leave(tab) if self.network == Network::Bad => {
                browser.leave_tab(tab_of(tab));
                browser.open_tab(SessionView::Restoring);
            }
            Action::Reload(tab) | Action::Leave(tab) => {
                browser.close_tab(tab_of(tab));
                browser.open_tab(SessionView::Restoring);
            }
            Action::Want(tab) => {
                let tab = tab_of(tab);
                let shown = browser.shown(tab);
                let answer = browser.send(tab);
                self.asked.push(Asked { shown, answer });
            }
            Action::Wake(tab, wakeup) => {
                let tab = tab_of(tab);
                browser.wake(tab, wakeup);
                match wakeup {
                    Wakeup::Stowed => self.stowed.push(tab),
                    Wakeup::Unstowed => self.stowed.retain(|stowed| *stowed != tab),
                    _ => {}
                }
            }

            Action::Arrive(index) if open > 0 => browser.arrive(index % open),
            Action::Deliver(index) if open > 0 => browser.deliver(index % open),
            Action::Cut(index) if open > 0 => browser.cut(index % open),
            Action::Lose(index) if open > 0 => browser.lose(index % open),
            Action::TurnAway(index, retry_after) if open > 0 => browser.turn_away(index % open, retry_after),

            Action::Hear(index) if news > 0 => browser.hear(index % news),
            Action::HearTwice(index) if news > 0 => browser.hear_twice(index % news),
            Action::Miss(index) if news > 0 => browser.miss(index % news),

            Action::Pass(duration) => browser.advance(duration),
            Action::Live(duration) => {
                browser.calm_down();
                browser.live(duration);
            }
            Action::Doze(duration) => browser.skip_to(browser.now() + duration),
            Action::Sleep(duration) => browser.sleep_and_wake(duration),

            Action::SignIn(tab, name) => {
                let tab = tab_of(tab);
                self.coming.push((tab, browser.sign_in(tab, name)));
            }
            Action::SignOut(tab) => browser.sign_out(tab_of(tab)),
            Action::EndElsewhere(name) => browser.on_server(|server| server.end_everywhere(name)),

            // Nothing to apply the action to.
            Action::Open
            | Action::Arrive(_)
            | Action::Deliver(_)
            | Action::Cut(_)
            | Action::Lose(_)
            | Action::TurnAway(..)
            | Action::Hear(_)
            | Action::HearTwice(_)
            | Action::Miss(_) => {}
        }
    }

    /// Whether a sign-in is under way.
    pub(crate) fn is_somebody_coming(&self) -> bool {
        let tabs = self.browser.open_tabs();
        let mut coming = self.coming.iter();
        coming.any(|(tab, sign_in)| tabs.contains(tab) && sign_in.is_pending())
    }

    /// Delivers every response and message, makes every page visible, and lets time pass until no request waits.
    pub(crate) fn come_to_rest(&mut self) {
        for tab in std::mem::take(&mut self.stowed) {
            self.browser.wake(tab, Wakeup::Unstowed);
        }
        for _ in 0..2 {
            self.browser.calm_down();
            self.browser.live(secs(100));
            for tab in self.browser.open_tabs() {
                self.browser.wake(tab, Wakeup::Shown);
            }
        }
        self.browser.calm_down();
        self.browser.live(secs(10));
    }
}
