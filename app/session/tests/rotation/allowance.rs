//! How many refreshes are allowed, told from outside: an auditor goes through the journal of a browser and demands a
//! cause for each. It knows what the manager is for, and nothing of how it does it.
//!
//! - A page that is loaded, or brought back by the browser, may refresh once.
//! - Requests that want a token where there is none that is good share one. So do those whose token was refused, and a
//!   look at a page whose token has ended.
//! - A refresh that was told that it is superseded is sent again once, and at once.
//! - One that got no answer, or a busy server's, is tried again as the back-off says, and nothing that a page wants makes
//!   that sooner. A network that is back does, and somebody who looks, unless the server named the moment.
//! - Ahead of time, a page refreshes no sooner than a lifetime (less the margin and the jitter) after it got its token,
//!   or heard that another page got one.
//! - Never are two refreshes of one page under way at once.

use std::{collections::BTreeMap, time::Duration};

use api_types::paths;
use session_client::{ApiResponse, News, Wakeup};

use crate::shared::{Entry, What, answers::TTL, secs};

/// A page may refresh this long after it asked for its token: a minute before its end, and a fifth of that earlier.
pub(crate) const AHEAD: Duration = secs(TTL - 60 - 12);

/// Why a refresh is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cause {
    Loaded,
    Unstowed,
    Wanted,
    Looked,
    Refused,
    Superseded,
    Failed,
    AheadOfTime,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Refresh {
    pub(crate) at: Duration,
    pub(crate) cause: Cause,
}

/// What a page may do.
#[derive(Default)]
struct Page {
    /// It may refresh at once.
    now: Option<Cause>,
    /// By itself, from this moment on.
    later: Option<(Duration, Cause)>,
    attempt: Option<Attempt>,
    /// The last attempt failed.
    backing_off: Option<BackOff>,
    /// Until when its token is good.
    token: Option<Duration>,
}

/// A refresh, and the question whose token it brought.
struct Attempt {
    sent_at: Duration,
    is_answered: bool,
    was_superseded: bool,
    /// Its outcome counts: the page was not stowed since.
    counts: bool,
}

#[derive(Clone, Copy, Default)]
struct BackOff {
    failures: u32,
    /// The server named the moment.
    fixed: bool,
}

/// Every refresh that was sent and why; or the first that nothing allows.
pub(crate) fn causes(journal: &[Entry]) -> Result<Vec<Refresh>, String> {
    let mut pages = BTreeMap::<usize, Page>::new();
    let mut refreshes = vec![];
    for Entry { at, tab, what, .. } in journal {
        let page = pages.entry(*tab).or_default();
        let refreshes_now = matches!(what, What::Sent { path } if path == paths::REFRESH);
        if page.now == Some(Cause::Superseded) && !refreshes_now && !matches!(what, What::Closed) {
            return Err(format!(
                "tab {tab} was superseded before {at:?} and does not ask again at once"
            ));
        }
        match what {
            What::Sent { .. } if refreshes_now => {
                let cause = page
                    .refresh(*at)
                    .map_err(|why| format!("tab {tab} refreshes at {at:?} {why}"))?;
                refreshes.push(Refresh { at: *at, cause });
            }
            What::Loaded => page.now = Some(Cause::Loaded),
            What::Wanted if page.token.is_none_or(|until| until <= *at) => page.want(Cause::Wanted),
            What::Answered { path, answer } => page.answered(*at, path, answer),
            What::Unanswered { path } if [paths::REFRESH, paths::ME].contains(&path.as_str()) => {
                page.fail(*at, None);
            }
            // The question whether the session lives, which the page does not ask for itself, marks nothing.
            What::Unanswered { path } if path == paths::SESSION => {}
            What::Unanswered { .. } => page.lose(*at),
            What::Sent { .. } | What::Wanted | What::Shows(_) | What::Closed => {}
            What::Heard(News::Renewed { .. }) => page.rely_on_another(*at),
            What::Heard(news) => return Err(format!("nobody comes or goes here, and yet: {news:?}")),
            What::Woken(wakeup) => page.woken(*at, *wakeup),
        }
    }
    Ok(refreshes)
}

/// The most refreshes that were ever under way at once, of all pages together.
pub(crate) fn most_at_once(journal: &[Entry]) -> usize {
    let mut under_way = vec![];
    let mut most = 0;
    for Entry { tab, what, .. } in journal {
        match what {
            What::Sent { path } if path == paths::REFRESH => under_way.push(*tab),
            What::Answered { path, .. } | What::Unanswered { path } if path == paths::REFRESH => {
                under_way.retain(|sender| sender != tab);
            }
            What::Closed => under_way.retain(|sender| sender != tab),
            _ => {}
        }
        most = most.max(under_way.len());
    }
    most
}

impl Page {
    fn refresh(&mut self, at: Duration) -> Result<Cause, String> {
        if self.attempt.as_ref().is_some_and(|attempt| !attempt.is_answered) {
            return Err("while another refresh is under way".into());
        }
        let cause = match (self.now.take(), self.later.take()) {
            (Some(cause), _) => cause,
            (None, Some((from, cause))) if from <= at => cause,
            (None, Some((from, cause))) => {
                return Err(format!("although {cause:?} allows it from {from:?} on"));
            }
            (None, None) => return Err("although nobody wants it".into()),
        };
        self.attempt = Some(Attempt {
            sent_at: at,
            is_answered: false,
            was_superseded: cause == Cause::Superseded,
            counts: true,
        });
        Ok(cause)
    }

    /// Whoever wants a token shares the attempt that is under way, or waits until the back-off allows the next one.
    fn want(&mut self, cause: Cause) {
        let is_shared = self.attempt.as_ref().is_some_and(|attempt| attempt.counts);
        if !is_shared && self.backing_off.is_none() {
            self.now.get_or_insert(cause);
        }
    }

    fn answered(&mut self, at: Duration, path: &str, answer: &ApiResponse) {
        let is_renewal = [paths::REFRESH, paths::ME].contains(&path);
        match (path, answer.status) {
            (paths::REFRESH, 200) => match &mut self.attempt {
                Some(attempt) if attempt.counts => attempt.is_answered = true,
                _ => self.attempt = None,
            },
            (paths::REFRESH, 409)
                if self
                    .attempt
                    .as_ref()
                    .is_some_and(|attempt| !attempt.was_superseded) =>
            {
                self.attempt = None;
                self.now = Some(Cause::Superseded);
            }
            (paths::ME, 200) => self.succeed(),
            (paths::ME, 401) => {
                self.attempt = None;
                self.now = Some(Cause::Refused);
            }
            (_, 401) => {
                self.token = None;
                self.want(Cause::Refused);
            }
            _ if is_renewal => self.fail(at, answer.retry_after),
            _ => {}
        }
    }

    fn succeed(&mut self) {
        if let Some(attempt) = self.attempt.take().filter(|attempt| attempt.counts) {
            self.token = Some(attempt.sent_at + secs(TTL));
            self.later = Some((attempt.sent_at + AHEAD, Cause::AheadOfTime));
            self.backing_off = None;
        }
    }

    /// A request with the access token was not answered, which is the first failure in a row if somebody is signed in.
    fn lose(&mut self, at: Duration) {
        if self.backing_off.is_none() && self.token.is_some() {
            // What is due already may wait for its turn.
            let due = self.later.map(|(from, _)| from).filter(|from| *from <= at);
            self.later = Some((due.unwrap_or(at + secs(1) / 2), Cause::Failed));
            self.backing_off = Some(BackOff {
                failures: 1,
                fixed: false,
            });
        }
    }

    /// The next attempt comes a second later, then two, four, up to thirty, and the jitter makes that up to twice as soon.
    fn fail(&mut self, at: Duration, retry_after: Option<Duration>) {
        if self.attempt.take().is_some_and(|attempt| attempt.counts) {
            let before = self.backing_off.unwrap_or_default();
            let step = secs(1 << before.failures.min(5)).min(secs(30));
            let wait = retry_after.unwrap_or_default().max(step / 2);
            self.later = Some((at + wait, Cause::Failed));
            self.backing_off = Some(BackOff {
                failures: before.failures + 1,
                fixed: retry_after.is_some(),
            });
        }
    }

    fn rely_on_another(&mut self, at: Duration) {
        match &mut self.later {
            Some((from, Cause::AheadOfTime)) => *from = at + AHEAD,
            _ => self.hasten(at),
        }
    }

    fn hasten(&mut self, at: Duration) {
        if let Some(back_off) = self.backing_off.as_mut().filter(|back_off| !back_off.fixed) {
            back_off.failures = 0;
            if let Some((from, _)) = &mut self.later {
                *from = at.min(*from);
            }
        }
    }

    fn woken(&mut self, at: Duration, wakeup: Wakeup) {
        match wakeup {
            Wakeup::Marked => {}
            Wakeup::Online => self.hasten(at),
            Wakeup::Shown => {
                self.hasten(at);
                if self.token.is_some_and(|until| until <= at) {
                    self.want(Cause::Looked);
                }
            }
            Wakeup::Stowed | Wakeup::Unstowed => {
                if let Some(attempt) = &mut self.attempt {
                    attempt.counts = false;
                }
                *self = Self {
                    now: (wakeup == Wakeup::Unstowed).then_some(Cause::Unstowed),
                    attempt: self.attempt.take(),
                    ..Self::default()
                };
            }
        }
    }
}
