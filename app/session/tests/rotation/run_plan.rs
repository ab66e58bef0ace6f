//! Executes a plan.

use api_types::auth::User;
use session_client::{ApiError, ApiResponse, BrowserEvent, SessionView};

use crate::{
    plan::{BrowserAction, BrowserSetup, Network, TestPlan},
    rotation_server::RotationServer,
    shared::{Task, TestBrowser, secs},
};

/// The timeout of a request in the browser's transport.
const REQUEST_TIMEOUT: std::time::Duration = secs(15);

pub(crate) struct PlanRun {
    pub(crate) browser: TestBrowser<RotationServer>,
    pub(crate) sent: Vec<SentRequest>,
    /// Sign-ins under way: the tab and the result.
    sign_ins: Vec<(usize, Task<Result<User, ApiError>>)>,
    network: Network,
    /// Pages in the back/forward cache. They are not visible.
    in_bfcache: Vec<usize>,
}

/// A request of a page.
pub(crate) struct SentRequest {
    /// The user that the page showed when it sent the request.
    pub(crate) displayed_name: Option<String>,
    pub(crate) answer: Task<Result<ApiResponse, ApiError>>,
}

impl PlanRun {
    /// A browser whose jar holds a cookie of ada's.
    pub(crate) fn new(setup: BrowserSetup) -> Self {
        let mut browser = TestBrowser::new(setup.lock, setup.channel);
        browser.set_request_timeout(REQUEST_TIMEOUT);
        match setup.network {
            Network::Prompt => browser.prevent_lock_timeouts(),
            Network::Bad => browser.on_server(RotationServer::exclude_gaps),
        }
        if setup.spread {
            browser.spread_jitter();
        }
        browser.add_session_cookie();
        for _ in 0..setup.tabs {
            browser.open_tab(SessionView::Restoring);
        }
        Self {
            browser,
            sent: vec![],
            sign_ins: vec![],
            network: setup.network,
            in_bfcache: vec![],
        }
    }

    /// Runs a plan from the beginning until nothing is left to do.
    pub(crate) fn of(plan: &TestPlan) -> Self {
        let mut run = Self::new(plan.browser);
        for action in &plan.actions {
            run.step(action);
        }
        run.finish();
        run
    }

    pub(crate) fn step(&mut self, action: &BrowserAction) {
        let browser = &mut self.browser;
        let tabs = browser.open_tabs();
        let tab_of = |number: usize| tabs[number % tabs.len()];
        let (open, messages) = (browser.open_count(), browser.message_count());
        match *action {
            BrowserAction::Open if tabs.len() < 6 => {
                browser.open_tab(SessionView::Restoring);
            }
            BrowserAction::Abandon(tab) if self.network == Network::Bad => {
                browser.abandon_tab(tab_of(tab));
                browser.open_tab(SessionView::Restoring);
            }
            BrowserAction::Reload(tab) | BrowserAction::Abandon(tab) => {
                browser.close_tab(tab_of(tab));
                browser.open_tab(SessionView::Restoring);
            }
            BrowserAction::SendRequest(tab) => {
                let tab = tab_of(tab);
                let displayed_name = browser.displayed_name(tab);
                let answer = browser.send(tab);
                self.sent.push(SentRequest {
                    displayed_name,
                    answer,
                });
            }
            BrowserAction::FireEvent(tab, browser_event) => {
                let tab = tab_of(tab);
                browser.fire_event(tab, browser_event);
                match browser_event {
                    BrowserEvent::EnteredBfcache => self.in_bfcache.push(tab),
                    BrowserEvent::RestoredFromBfcache => {
                        self.in_bfcache.retain(|in_bfcache| *in_bfcache != tab);
                    }
                    _ => {}
                }
            }

            BrowserAction::Arrive(index) if open > 0 => browser.arrive(index % open),
            BrowserAction::Deliver(index) if open > 0 => browser.deliver(index % open),
            BrowserAction::DeliverHeaders(index) if open > 0 => browser.deliver_headers(index % open),
            BrowserAction::Lose(index) if open > 0 => browser.lose(index % open),
            BrowserAction::RespondBusy(index, retry_after) if open > 0 => {
                browser.respond_busy(index % open, retry_after);
            }

            BrowserAction::DeliverMessage(index) if messages > 0 => browser.deliver_message(index % messages),
            BrowserAction::DuplicateMessage(index) if messages > 0 => {
                browser.duplicate_message(index % messages);
            }
            BrowserAction::LoseMessage(index) if messages > 0 => browser.lose_message(index % messages),

            BrowserAction::Pass(duration) => browser.advance(duration),
            BrowserAction::RunFor(duration) => {
                browser.run_until_idle();
                browser.run_for(duration);
            }
            BrowserAction::SkipTimers(duration) => browser.skip_to(browser.now() + duration),
            BrowserAction::Sleep(duration) => browser.sleep_and_wake(duration),

            BrowserAction::SignIn(tab, name) => {
                let tab = tab_of(tab);
                self.sign_ins.push((tab, browser.sign_in(tab, name)));
            }
            BrowserAction::SignOut(tab) => browser.sign_out(tab_of(tab)),
            BrowserAction::RevokeAll(name) => browser.on_server(|server| server.revoke_all_sessions(name)),

            // Nothing to apply the action to.
            BrowserAction::Open
            | BrowserAction::Arrive(_)
            | BrowserAction::Deliver(_)
            | BrowserAction::DeliverHeaders(_)
            | BrowserAction::Lose(_)
            | BrowserAction::RespondBusy(..)
            | BrowserAction::DeliverMessage(_)
            | BrowserAction::DuplicateMessage(_)
            | BrowserAction::LoseMessage(_) => {}
        }
    }

    /// Whether a sign-in is under way.
    pub(crate) fn has_pending_sign_in(&self) -> bool {
        let tabs = self.browser.open_tabs();
        let mut sign_ins = self.sign_ins.iter();
        sign_ins.any(|(tab, sign_in)| tabs.contains(tab) && sign_in.is_pending())
    }

    /// Delivers every response and message, makes every page visible, and lets time pass until no request waits.
    pub(crate) fn finish(&mut self) {
        for tab in std::mem::take(&mut self.in_bfcache) {
            self.browser.fire_event(tab, BrowserEvent::RestoredFromBfcache);
        }
        for _ in 0..2 {
            self.browser.run_until_idle();
            self.browser.run_for(secs(100));
            for tab in self.browser.open_tabs() {
                self.browser.fire_event(tab, BrowserEvent::Visible);
            }
        }
        self.browser.run_until_idle();
        self.browser.run_for(secs(10));
    }
}
