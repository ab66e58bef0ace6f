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
use session_client::{ApiResponse, BrowserEvent, TabMessage};

use crate::shared::{JournalEntry, JournalEvent, responses::TTL, secs};

/// The earliest time of a scheduled refresh after the request for the token: a minute before the token expires, less a
/// fifth of that minute.
pub(crate) const SCHEDULED_WAIT: Duration = secs(TTL - 60 - 12);

/// Why a refresh is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RefreshCause {
    Loaded,
    RestoredFromBfcache,
    TokenNeeded,
    BecameVisible,
    Refused,
    Superseded,
    Failed,
    Scheduled,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct CausedRefresh {
    pub(crate) at: Duration,
    pub(crate) cause: RefreshCause,
}

/// The refreshes that a page may send.
#[derive(Default)]
struct PageAllowance {
    /// It may refresh immediately.
    now: Option<RefreshCause>,
    /// It may send a scheduled refresh from this time on.
    later: Option<(Duration, RefreshCause)>,
    attempt: Option<RefreshAttempt>,
    /// The last attempt failed.
    backing_off: Option<BackOff>,
    /// When its token expires.
    token: Option<Duration>,
}

/// A refresh, and the request for the user of its token.
struct RefreshAttempt {
    sent_at: Duration,
    is_answered: bool,
    was_superseded: bool,
    /// Its outcome counts: the page was not stowed since.
    is_current: bool,
}

#[derive(Clone, Copy, Default)]
struct BackOff {
    failures: u32,
    /// The server named the time.
    fixed: bool,
}

/// Returns every refresh that was sent, with its cause; or an error for the first without one.
pub(crate) fn causes(journal: &[JournalEntry]) -> Result<Vec<CausedRefresh>, String> {
    let mut pages = BTreeMap::<usize, PageAllowance>::new();
    let mut refreshes = vec![];
    for JournalEntry { at, tab, event, .. } in journal {
        let page = pages.entry(*tab).or_default();
        let refreshes_now = matches!(event, JournalEvent::RequestSent { path } if path == paths::REFRESH);
        if page.now == Some(RefreshCause::Superseded)
            && !refreshes_now
            && !matches!(event, JournalEvent::Closed)
        {
            return Err(format!(
                "tab {tab} was superseded before {at:?} and does not retry immediately"
            ));
        }
        match event {
            JournalEvent::RequestSent { .. } if refreshes_now => {
                let cause = page
                    .refresh(*at)
                    .map_err(|why| format!("tab {tab} refreshes at {at:?} {why}"))?;
                refreshes.push(CausedRefresh { at: *at, cause });
            }
            JournalEvent::Loaded => page.now = Some(RefreshCause::Loaded),
            JournalEvent::TokenNeeded if page.token.is_none_or(|until| until <= *at) => {
                page.need_token(RefreshCause::TokenNeeded);
            }
            JournalEvent::ResponseReceived { path, answer } => page.answered(*at, path, answer),
            JournalEvent::RequestFailed { path } if [paths::REFRESH, paths::ME].contains(&path.as_str()) => {
                page.fail(*at, None);
            }
            // A check whether the session is active is not a request of the page, so its failure changes nothing.
            JournalEvent::RequestFailed { path } if path == paths::SESSION => {}
            JournalEvent::RequestFailed { .. } => page.lose_request(*at),
            JournalEvent::RequestSent { .. }
            | JournalEvent::TokenNeeded
            | JournalEvent::ViewChanged(_)
            | JournalEvent::Closed => {}
            JournalEvent::MessageReceived(TabMessage::Renewed { .. }) => page.defer_to_other_tab(*at),
            JournalEvent::MessageReceived(message) => {
                return Err(format!("no one signs in or out here, but got: {message:?}"));
            }
            JournalEvent::Browser(browser_event) => page.browser_event(*at, *browser_event),
        }
    }
    Ok(refreshes)
}

/// The maximum number of refreshes under way at the same time, of all pages together.
pub(crate) fn most_at_once(journal: &[JournalEntry]) -> usize {
    let mut under_way = vec![];
    let mut most = 0;
    for JournalEntry { tab, event, .. } in journal {
        match event {
            JournalEvent::RequestSent { path } if path == paths::REFRESH => under_way.push(*tab),
            JournalEvent::ResponseReceived { path, .. } | JournalEvent::RequestFailed { path }
                if path == paths::REFRESH =>
            {
                under_way.retain(|sender| sender != tab);
            }
            JournalEvent::Closed => under_way.retain(|sender| sender != tab),
            _ => {}
        }
        most = most.max(under_way.len());
    }
    most
}

impl PageAllowance {
    fn refresh(&mut self, at: Duration) -> Result<RefreshCause, String> {
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
        self.attempt = Some(RefreshAttempt {
            sent_at: at,
            is_answered: false,
            was_superseded: cause == RefreshCause::Superseded,
            is_current: true,
        });
        Ok(cause)
    }

    /// Requests that need a token share the attempt that is under way, or wait until the back-off allows the next one.
    fn need_token(&mut self, cause: RefreshCause) {
        let is_shared = self.attempt.as_ref().is_some_and(|attempt| attempt.is_current);
        if !is_shared && self.backing_off.is_none() {
            self.now.get_or_insert(cause);
        }
    }

    fn answered(&mut self, at: Duration, path: &str, answer: &ApiResponse) {
        let is_renewal = [paths::REFRESH, paths::ME].contains(&path);
        match (path, answer.status) {
            (paths::REFRESH, 200) => match &mut self.attempt {
                Some(attempt) if attempt.is_current => attempt.is_answered = true,
                _ => self.attempt = None,
            },
            (paths::REFRESH, 409)
                if self
                    .attempt
                    .as_ref()
                    .is_some_and(|attempt| !attempt.was_superseded) =>
            {
                self.attempt = None;
                self.now = Some(RefreshCause::Superseded);
            }
            (paths::ME, 200) => self.succeed(),
            (paths::ME, 401) => {
                self.attempt = None;
                self.now = Some(RefreshCause::Refused);
            }
            (_, 401) => {
                self.token = None;
                self.need_token(RefreshCause::Refused);
            }
            _ if is_renewal => self.fail(at, answer.retry_after),
            _ => {}
        }
    }

    fn succeed(&mut self) {
        if let Some(attempt) = self.attempt.take().filter(|attempt| attempt.is_current) {
            self.token = Some(attempt.sent_at + secs(TTL));
            self.later = Some((attempt.sent_at + SCHEDULED_WAIT, RefreshCause::Scheduled));
            self.backing_off = None;
        }
    }

    /// A request with the access token got no response. This is the first failure in a row if a user is signed in.
    fn lose_request(&mut self, at: Duration) {
        if self.backing_off.is_none() && self.token.is_some() {
            // A refresh that is already due may still wait for the lock.
            let due = self.later.map(|(from, _)| from).filter(|from| *from <= at);
            self.later = Some((due.unwrap_or(at + secs(1) / 2), RefreshCause::Failed));
            self.backing_off = Some(BackOff {
                failures: 1,
                fixed: false,
            });
        }
    }

    /// The next attempt follows after 1, 2, 4, … up to 30 seconds, and the jitter makes it up to half earlier.
    fn fail(&mut self, at: Duration, retry_after: Option<Duration>) {
        if self.attempt.take().is_some_and(|attempt| attempt.is_current) {
            let before = self.backing_off.unwrap_or_default();
            let step = secs(1 << before.failures.min(5)).min(secs(30));
            let wait = retry_after.unwrap_or_default().max(step / 2);
            self.later = Some((at + wait, RefreshCause::Failed));
            self.backing_off = Some(BackOff {
                failures: before.failures + 1,
                fixed: retry_after.is_some(),
            });
        }
    }

    fn defer_to_other_tab(&mut self, at: Duration) {
        match &mut self.later {
            Some((from, RefreshCause::Scheduled)) => *from = at + SCHEDULED_WAIT,
            _ => self.retry_soon(at),
        }
    }

    fn retry_soon(&mut self, at: Duration) {
        if let Some(back_off) = self.backing_off.as_mut().filter(|back_off| !back_off.fixed) {
            back_off.failures = 0;
            if let Some((from, _)) = &mut self.later {
                *from = at.min(*from);
            }
        }
    }

    fn browser_event(&mut self, at: Duration, browser_event: BrowserEvent) {
        match browser_event {
            BrowserEvent::MarkerChanged => {}
            BrowserEvent::Online => self.retry_soon(at),
            BrowserEvent::Visible => {
                self.retry_soon(at);
                if self.token.is_some_and(|until| until <= at) {
                    self.need_token(RefreshCause::BecameVisible);
                }
            }
            BrowserEvent::EnteredBfcache | BrowserEvent::RestoredFromBfcache => {
                if let Some(attempt) = &mut self.attempt {
                    attempt.is_current = false;
                }
                *self = Self {
                    now: (browser_event == BrowserEvent::RestoredFromBfcache)
                        .then_some(RefreshCause::RestoredFromBfcache),
                    attempt: self.attempt.take(),
                    ..Self::default()
                };
            }
        }
    }
}
