//! The allowed refreshes: an auditor reads the journal of a browser and requires a cause for each refresh. It knows the
//! manager's purpose, but nothing of its implementation.
//!
//! - A page that is loaded, or restored by the browser, may refresh once.
//! - Requests that need a token while there is no valid one share one refresh. So do requests whose token was refused,
//!   and a page that becomes visible with an expired token.
//! - A superseded refresh is sent again once, immediately.
//! - A refresh without a response, or with a busy server's response, is retried after the back-off. Requests of the
//!   page do not make the retry earlier. A restored network or a page that becomes visible does, unless the server
//!   named the time.
//! - A page refreshes ahead of expiry no sooner than one lifetime (less the margin and the jitter) after it got its
//!   token. The same applies after it learned that another page got one.
//! - Two refreshes of one page are never under way at the same time.

use std::{collections::BTreeMap, time::Duration};

use api_types::paths;
use session_client::{ApiResponse, News, Wakeup};

use crate::shared::{Entry, What, answers::TTL, secs};

/// The earliest time of a scheduled refresh after the request for the token: a minute before the token expires, less a
/// fifth of that minute.
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

/// The refreshes that a page may send.
#[derive(Default)]
struct Page {
    /// It may refresh immediately.
    now: Option<Cause>,
    /// It may send a scheduled refresh from this time on.
    later: Option<(Duration, Cause)>,
    attempt: Option<Attempt>,
    /// The last attempt failed.
    backing_off: Option<BackOff>,
    /// When its token expires.
    token: Option<Duration>,
}

/// A refresh, and the request for the user of its token.
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
    /// The server named the time.
    fixed: bool,
}

/// Returns every refresh that was sent, with its cause; or an error for the first without one.
pub(crate) fn causes(journal: &[Entry]) -> Result<Vec<Refresh>, String> {
    let mut pages = BTreeMap::<usize, Page>::new();
    let mut refreshes = vec![];
    for Entry { at, tab, what, .. } in journal {
        let page = pages.entry(*tab).or_default();
        let refreshes_now = matches!(what, What::Sent { path } if path == paths::REFRESH);
        if page.now == Some(Cause::Superseded) && !refreshes_now && !matches!(what, What::Closed) {
            return Err(format!(
                "tab {tab} was superseded before {at:?} and does not retry immediately"
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
            // A check whether the session is active is not a request of the page, so its failure changes nothing.
            What::Unanswered { path } if path == paths::SESSION => {}
            What::Unanswered { .. } => page.lose(*at),
            What::Sent { .. } | What::Wanted | What::Shows(_) | What::Closed => {}
            What::Heard(News::Renewed { .. }) => page.rely_on_another(*at),
            What::Heard(news) => return Err(format!("no one signs in or out here, but got: {news:?}")),
            What::Woken(wakeup) => page.woken(*at, *wakeup),
        }
    }
    Ok(refreshes)
}

/// The maximum number of refreshes under way at the same time, of all pages together.
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
            (None, None) => return Err("without a cause".into()),
        };
        self.attempt = Some(Attempt {
            sent_at: at,
            is_answered: false,
            was_superseded: cause == Cause::Superseded,
            counts: true,
        });
        Ok(cause)
    }

    /// Requests that need a token share the attempt that is under way, or wait until the back-off allows the next one.
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

    /// A request with the access token got no response. This is the first failure in a row if a user is signed in.
    fn lose(&mut self, at: Duration) {
        if self.backing_off.is_none() && self.token.is_some() {
            // A refresh that is already due may still wait for the lock.
            let due = self.later.map(|(from, _)| from).filter(|from| *from <= at);
            self.later = Some((due.unwrap_or(at + secs(1) / 2), Cause::Failed));
            self.backing_off = Some(BackOff {
                failures: 1,
                fixed: false,
            });
        }
    }

    /// The next attempt follows after 1, 2, 4, … up to 30 seconds, and the jitter makes it up to half earlier.
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
