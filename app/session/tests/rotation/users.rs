//! Two users of one browser, who sign in and out: no user is ever mistaken for the other, and a sign-out is final.

use std::{cell::Cell, collections::BTreeMap};

use api_types::{
    auth::{SignedInResponse, User},
    paths,
};
use proptest::{prelude::*, test_runner::TestCaseError};
use session_client::{ApiResponse, SessionView, TabMessage};

use crate::{
    check_all,
    plan::{BrowserAction, BrowserSetup, TestPlan, any_browser, plan, signing_in_and_out, with_the_lock},
    run_plan::{PlanRun, SentRequest},
    shared::{
        JournalEntry, JournalEvent, TestBrowser, TestServer, journal::displayed_user, responses::TTL, secs,
    },
};

#[test]
fn with_all_messages_tabs_agree_with_the_cookie() {
    let browsers = with_the_lock().prop_map(|browser| BrowserSetup {
        channel: true,
        ..browser
    });
    check_users(plan(browsers, signing_in_and_out()), |run| {
        let owner = run.browser.cookie_owner();
        prop_assert!(!run.browser.marker_set(), "a sign-out was never finished");
        for tab in run.browser.open_tabs() {
            prop_assert_eq!(run.browser.displayed_name(tab), owner.clone(), "tab {}", tab);
        }
        Ok(())
    });
}

/// Without locks or messages, tabs may learn of a change late, but they never show the wrong user.
#[test]
fn users_are_never_confused_and_sign_outs_are_final() {
    check_users(plan(any_browser(), signing_in_and_out()), |_| Ok(()));
}

fn check_users(plans: impl Strategy<Value = TestPlan>, finally: fn(&PlanRun) -> Result<(), TestCaseError>) {
    let sign_outs = Cell::new(0);
    check_all(plans, |plan| {
        let mut run = PlanRun::new(plan.browser);
        let mut checker = UserChecker::default();
        let mut signed_out = false;
        for action in &plan.actions {
            signed_out = match action {
                BrowserAction::SignOut(_) => !run.has_pending_sign_in(),
                BrowserAction::SignIn(..) => false,
                _ => signed_out,
            };
            run.step(action);
            checker.check(&run.browser)?;
        }
        run.finish();
        checker.check(&run.browser)?;
        finally(&run)?;
        check_responses(&mut run)?;
        if signed_out {
            sign_outs.set(sign_outs.get() + 1);
            check_no_session(run)?;
        }
        Ok(())
    });
    assert!(sign_outs.get() > 20, "{} sign-outs", sign_outs.get());
}

/// Reads the journal and tracks what each page learned about who is signed in.
#[derive(Default)]
struct UserChecker {
    read: usize,
    pages: BTreeMap<usize, PageView>,
}

#[derive(Default)]
struct PageView {
    /// The id of the signed-in user according to the last response or message.
    expected_user: Option<String>,
    /// A refresh was sent since the last message from another tab; responses to earlier requests do not count.
    has_refreshed: bool,
    shown_user: Option<String>,
    is_superseded: bool,
}

impl UserChecker {
    /// Each page shows the user that it learned of last, or no one.
    fn check<S: TestServer>(&mut self, browser: &TestBrowser<S>) -> Result<(), TestCaseError> {
        let journal = browser.journal();
        for JournalEntry {
            tab,
            marker_set,
            event,
            ..
        } in &journal[self.read..]
        {
            self.pages.entry(*tab).or_default().record(event, *marker_set)?;
        }
        self.read = journal.len();
        for (tab, page) in &self.pages {
            prop_assert!(
                page.is_truthful(),
                "tab {} shows {:?}, told {:?}",
                tab,
                page.shown_user,
                page.expected_user
            );
        }
        Ok(())
    }
}

impl PageView {
    fn is_truthful(&self) -> bool {
        self.shown_user.is_none() || self.shown_user == self.expected_user
    }

    fn record(&mut self, event: &JournalEvent, marker_set: bool) -> Result<(), TestCaseError> {
        let was_superseded = std::mem::take(&mut self.is_superseded);
        match event {
            JournalEvent::RequestSent { path } if path == paths::REFRESH => {
                let is_allowed = !marker_set || was_superseded;
                prop_assert!(is_allowed, "a refresh although a sign-out is unfinished");
                self.has_refreshed = true;
            }
            JournalEvent::ResponseReceived { path, answer } => {
                self.is_superseded = answer.status == 409;
                if let Some(user) =
                    user_in_response(path, answer).filter(|_| self.has_refreshed || path == paths::LOGIN)
                {
                    self.expected_user = Some(user.id);
                }
            }
            JournalEvent::MessageReceived(TabMessage::SignedIn { user }) => self.receive(Some(user)),
            JournalEvent::MessageReceived(TabMessage::SignedOut | TabMessage::Ended { .. }) => {
                self.receive(None);
            }
            // Ignored by a page that shows no user.
            JournalEvent::MessageReceived(TabMessage::Renewed { user }) if self.shown_user.is_some() => {
                self.receive(Some(user));
            }
            JournalEvent::ViewChanged(view) => {
                let before = std::mem::replace(
                    &mut self.shown_user,
                    displayed_user(view).map(|user| user.id.clone()),
                );
                prop_assert!(
                    self.is_truthful(),
                    "shows {:?}, told {:?}",
                    self.shown_user,
                    self.expected_user
                );
                let appears = self.shown_user.is_some() && self.shown_user != before;
                prop_assert!(
                    !appears || !marker_set,
                    "{:?} although a sign-out is unfinished",
                    self.shown_user
                );
            }
            JournalEvent::Closed => *self = Self::default(),
            _ => {}
        }
        Ok(())
    }

    fn receive(&mut self, user: Option<&String>) {
        if self.shown_user.as_ref() != user || user.is_none() {
            self.has_refreshed = false;
        }
        self.expected_user = user.cloned();
    }
}

fn user_in_response(path: &str, answer: &ApiResponse) -> Option<User> {
    match path {
        paths::ME => answer.json().ok(),
        paths::LOGIN => Some(answer.json::<SignedInResponse>().ok()?.user),
        _ => None,
    }
}

fn check_responses(run: &mut PlanRun) -> Result<(), TestCaseError> {
    for SentRequest {
        displayed_name,
        answer,
    } in run.sent.drain(..)
    {
        if let Some(name) = displayed_name
            && !answer.is_pending()
            && let Ok(answer) = answer.done()
            && answer.status == 200
        {
            prop_assert_eq!(answer.body, format!("\"{name}\""));
        }
    }
    Ok(())
}

/// No one is signed in, and a reload does not restore a session.
fn check_no_session(mut run: PlanRun) -> Result<(), TestCaseError> {
    prop_assert_eq!(run.browser.cookie_owner(), None);
    prop_assert!(!run.browser.marker_set());
    run.browser.open_tab(SessionView::Restoring);
    run.finish();
    // Without a lock, two crossing sign-ins leave one session that no cookie identifies. A page that receives no
    // messages shows its user until its token expires.
    run.browser.run_for(secs(TTL));
    for tab in run.browser.open_tabs() {
        prop_assert!(
            run.browser.is_anonymous(tab),
            "tab {}: {:?}",
            tab,
            run.browser.view(tab)
        );
    }
    Ok(())
}
