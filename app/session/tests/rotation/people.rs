//! Two users of one browser, who sign in and out: no user is ever mistaken for the other, and a sign-out is final.

use std::{cell::Cell, collections::BTreeMap};

use api_types::{
    auth::{SignedInResponse, User},
    paths,
};
use proptest::{prelude::*, test_runner::TestCaseError};
use session_client::{ApiResponse, News, SessionView};

use crate::{
    plan::{Action, Plan, Setup, any_browser, coming_and_going, plan, with_the_lock},
    play::{Asked, Life},
    shared::{Browser, Entry, Server, What, answers::TTL, journal::person_in, secs},
    try_all,
};

#[test]
fn where_all_is_heard_all_tabs_agree_with_the_jar_in_the_end() {
    let browsers = with_the_lock().prop_map(|browser| Setup {
        channel: true,
        ..browser
    });
    nobody_is_mistaken(plan(browsers, coming_and_going()), |life| {
        let truth = life.browser.jar_leads_to();
        prop_assert!(!life.browser.marked(), "a sign-out was never finished");
        for tab in life.browser.open_tabs() {
            prop_assert_eq!(life.browser.shown(tab), truth.clone(), "tab {}", tab);
        }
        Ok(())
    });
}

/// Without locks or messages, tabs may learn of a change late, but they never show the wrong user.
#[test]
fn wherever_nobody_is_taken_for_somebody_else_and_a_sign_out_is_final() {
    nobody_is_mistaken(plan(any_browser(), coming_and_going()), |_| Ok(()));
}

fn nobody_is_mistaken(
    plans: impl Strategy<Value = Plan>,
    in_the_end: fn(&Life) -> Result<(), TestCaseError>,
) {
    let departures = Cell::new(0);
    try_all(plans, |plan| {
        let mut life = Life::new(plan.browser);
        let mut witness = Witness::default();
        let mut left = false;
        for action in &plan.actions {
            left = match action {
                Action::SignOut(_) => !life.is_somebody_coming(),
                Action::SignIn(..) => false,
                _ => left,
            };
            life.step(action);
            witness.judge(&life.browser)?;
        }
        life.come_to_rest();
        witness.judge(&life.browser)?;
        in_the_end(&life)?;
        answers_are_for_whoever_asked(&mut life)?;
        if left {
            departures.set(departures.get() + 1);
            nobody_is_here(life)?;
        }
        Ok(())
    });
    assert!(departures.get() > 20, "{} sign-outs", departures.get());
}

/// Reads the journal and tracks what each page learned about who is signed in.
#[derive(Default)]
struct Witness {
    read: usize,
    pages: BTreeMap<usize, Page>,
}

#[derive(Default)]
struct Page {
    /// The id of the signed-in user according to the last response or message.
    told: Option<String>,
    /// A refresh was sent since the last message from another tab; responses to earlier requests do not count.
    has_asked: bool,
    shows: Option<String>,
    is_superseded: bool,
}

impl Witness {
    /// Each page shows the user that it learned of last, or no one.
    fn judge<S: Server>(&mut self, browser: &Browser<S>) -> Result<(), TestCaseError> {
        let journal = browser.journal();
        for Entry {
            tab, marked, what, ..
        } in &journal[self.read..]
        {
            self.pages.entry(*tab).or_default().note(what, *marked)?;
        }
        self.read = journal.len();
        for (tab, page) in &self.pages {
            prop_assert!(
                page.is_truthful(),
                "tab {} shows {:?}, told {:?}",
                tab,
                page.shows,
                page.told
            );
        }
        Ok(())
    }
}

impl Page {
    fn is_truthful(&self) -> bool {
        self.shows.is_none() || self.shows == self.told
    }

    fn note(&mut self, what: &What, marked: bool) -> Result<(), TestCaseError> {
        let was_superseded = std::mem::take(&mut self.is_superseded);
        match what {
            What::Sent { path } if path == paths::REFRESH => {
                let is_fair = !marked || was_superseded;
                prop_assert!(is_fair, "a refresh although a sign-out is unfinished");
                self.has_asked = true;
            }
            What::Answered { path, answer } => {
                self.is_superseded = answer.status == 409;
                if let Some(user) = user_in(path, answer).filter(|_| self.has_asked || path == paths::LOGIN) {
                    self.told = Some(user.id);
                }
            }
            What::Heard(News::SignedIn { user }) => self.hear(Some(user)),
            What::Heard(News::SignedOut | News::Ended { .. }) => self.hear(None),
            // Ignored by a page that shows no user.
            What::Heard(News::Renewed { user }) if self.shows.is_some() => self.hear(Some(user)),
            What::Shows(view) => {
                let before = std::mem::replace(&mut self.shows, person_in(view).map(|user| user.id.clone()));
                prop_assert!(self.is_truthful(), "shows {:?}, told {:?}", self.shows, self.told);
                let appears = self.shows.is_some() && self.shows != before;
                prop_assert!(
                    !appears || !marked,
                    "{:?} although a sign-out is unfinished",
                    self.shows
                );
            }
            What::Closed => *self = Self::default(),
            _ => {}
        }
        Ok(())
    }

    fn hear(&mut self, user: Option<&String>) {
        if self.shows.as_ref() != user || user.is_none() {
            self.has_asked = false;
        }
        self.told = user.cloned();
    }
}

fn user_in(path: &str, answer: &ApiResponse) -> Option<User> {
    match path {
        paths::ME => answer.json().ok(),
        paths::LOGIN => Some(answer.json::<SignedInResponse>().ok()?.user),
        _ => None,
    }
}

fn answers_are_for_whoever_asked(life: &mut Life) -> Result<(), TestCaseError> {
    for Asked { shown, answer } in life.asked.drain(..) {
        if let Some(name) = shown
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
fn nobody_is_here(mut life: Life) -> Result<(), TestCaseError> {
    prop_assert_eq!(life.browser.jar_leads_to(), None);
    prop_assert!(!life.browser.marked());
    life.browser.open_tab(SessionView::Restoring);
    life.come_to_rest();
    // Without a lock, two crossing sign-ins leave one session that no cookie identifies. A page that receives no
    // messages shows its user until its token expires.
    life.browser.live(secs(TTL));
    for tab in life.browser.open_tabs() {
        prop_assert!(
            life.browser.is_anonymous(tab),
            "tab {}: {:?}",
            tab,
            life.browser.view(tab)
        );
    }
    Ok(())
}
