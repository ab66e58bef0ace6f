//! Reactions to other tabs and to the browser: messages, the marker of an unfinished sign-out, and browser events.

use super::{Retry, SessionMachine, SessionState, sign_out_reason};
use crate::{
    BrowserEvent, SignedOutReason, TabMessage,
    event::{Effect, Environment},
    schedule,
};

impl SessionMachine {
    /// Handles a message. It is a hint that may be old: the marker takes precedence, and the server decides.
    pub(super) fn handle_message(self, message: TabMessage, environment: Environment) -> (Self, Vec<Effect>) {
        let (session, mut effects) = self.sync_with_marker(environment);
        if environment.marker_set {
            // A sign-in removes the marker before it sends its message. So this message is older than the sign-out, or
            // reports it.
            return (session, effects);
        }
        let (session, more) = match (&session.state, message) {
            (SessionState::SigningOut { .. }, TabMessage::SignedIn { .. }) => {
                session.record_sign_in_elsewhere()
            }
            (SessionState::SigningOut { .. }, _)
            | (SessionState::Anonymous { .. }, TabMessage::SignedOut | TabMessage::Ended { .. }) => {
                (session, vec![])
            }
            (_, TabMessage::SignedIn { user }) if session.user().is_some_and(|known| known.id == user) => {
                session.invalidate_token()
            }
            (SessionState::Anonymous { .. }, TabMessage::Renewed { .. }) => (session, vec![]),
            (_, TabMessage::Renewed { user }) if session.user().is_none_or(|known| known.id == user) => {
                session.defer_to_other_tab(environment)
            }
            (_, TabMessage::SignedIn { .. } | TabMessage::Renewed { .. }) => session.revalidate(None),
            (_, TabMessage::SignedOut) => session.revalidate(sign_out_reason(false)),
            (_, TabMessage::Ended { reason }) => session.revalidate(Some(reason)),
        };
        effects.extend(more);
        (session, effects)
    }

    pub(super) fn handle_browser_event(
        self,
        browser_event: BrowserEvent,
        environment: Environment,
    ) -> (Self, Vec<Effect>) {
        let (session, effects) = self.sync_with_marker(environment);
        if !effects.is_empty() {
            return (session, effects);
        }
        match browser_event {
            BrowserEvent::MarkerChanged => (session, vec![]),
            BrowserEvent::Online => session.retry_soon(environment).run_due(environment.now),
            BrowserEvent::Visible => session.retry_soon(environment).handle_visible(environment),
            BrowserEvent::EnteredBfcache if session.is_signed_out() => (session, vec![]),
            BrowserEvent::EnteredBfcache => {
                let mut session = session;
                session.start_epoch(SessionState::Unknown { cookie_seen: true });
                (session, vec![Effect::ResumeWaiters])
            }
            BrowserEvent::RestoredFromBfcache if session.is_signed_out() => {
                session.retry_soon(environment).run_due(environment.now)
            }
            BrowserEvent::RestoredFromBfcache => session.revalidate(None),
        }
    }

    /// Compares the state with the marker, which is authoritative for sign-outs: a sign-in removes it.
    fn sync_with_marker(mut self, environment: Environment) -> (Self, Vec<Effect>) {
        match self.state {
            SessionState::SigningOut {
                attempt_pending: true,
                ..
            } => (self, vec![]),
            SessionState::SigningOut { .. } if !environment.marker_set => {
                let (session, mut effects) = self.finish_sign_out();
                effects.push(Effect::ResumeWaiters);
                (session, effects)
            }
            SessionState::SigningOut { .. } => (self, vec![]),
            _ if !environment.marker_set => (self, vec![]),
            _ => {
                // Another tab is about to send the sign-out. If that tab is closed first, this one sends it.
                let at = environment
                    .now
                    .saturating_add(schedule::until_retry(3, environment.jitter, None));
                let bearer = self.take_bearer();
                self.start_epoch(SessionState::SigningOut {
                    in_this_tab: false,
                    retry: Retry {
                        failures: 0,
                        at,
                        fixed: false,
                    },
                    attempt_pending: false,
                    has_failed: false,
                    signed_in_elsewhere: false,
                    bearer,
                });
                (self, vec![Effect::ResumeWaiters])
            }
        }
    }

    /// Completes the sign-out; no further attempt is needed.
    pub(super) fn finish_sign_out(mut self) -> (Self, Vec<Effect>) {
        match self.state {
            SessionState::SigningOut {
                in_this_tab,
                signed_in_elsewhere: true,
                ..
            } => return self.revalidate(sign_out_reason(in_this_tab)),
            SessionState::SigningOut { in_this_tab, .. } => self.start_epoch(SessionState::Anonymous {
                reason: sign_out_reason(in_this_tab),
            }),
            _ => {}
        }
        (self, vec![])
    }

    /// Shows no user until the server has confirmed one. A refresh that is under way may have been answered before the
    /// change, so its outcome is ignored.
    fn revalidate(mut self, reported_reason: Option<SignedOutReason>) -> (Self, Vec<Effect>) {
        self.start_epoch(SessionState::Refreshing {
            cookie_seen: true,
            reported_reason,
        });
        let (session, mut effects) = self.refresh();
        effects.push(Effect::ResumeWaiters);
        (session, effects)
    }

    /// Records that a user signed in while a sign-out request is under way. Only the server knows which came first.
    fn record_sign_in_elsewhere(mut self) -> (Self, Vec<Effect>) {
        if let SessionState::SigningOut {
            signed_in_elsewhere, ..
        } = &mut self.state
        {
            *signed_in_elsewhere = true;
        }
        (self, vec![])
    }

    /// Handles another sign-in of the same user, which ended the session of this token. The next request gets a new
    /// token.
    fn invalidate_token(mut self) -> (Self, Vec<Effect>) {
        if self.refresh_pending == Some(self.epoch) {
            // It may be about to report that the former session has ended, which is expected.
            return self.revalidate(None);
        }
        if let SessionState::SignedIn { held, .. } = &mut self.state {
            held.refused = true;
        }
        (self, vec![])
    }

    /// Handles a renewal by another tab: postpones the scheduled refresh by one lifetime. Until then this tab refreshes
    /// only when its own requests need a token.
    fn defer_to_other_tab(mut self, environment: Environment) -> (Self, Vec<Effect>) {
        if let SessionState::SignedIn { held, refresh_at, .. } = &mut self.state {
            let wait = schedule::until_refresh(held.lifetime, environment.jitter);
            *refresh_at = environment.now.saturating_add(wait);
        }
        (self.retry_soon(environment), vec![])
    }

    /// Schedules an early retry, because the network may be back. Jitter keeps the tabs from retrying at the same time.
    fn retry_soon(mut self, environment: Environment) -> Self {
        if let SessionState::Reconnecting { retry, .. } | SessionState::SigningOut { retry, .. } =
            &mut self.state
            && !retry.fixed
        {
            let soon = environment
                .now
                .saturating_add(schedule::until_early_retry(environment.jitter));
            *retry = Retry {
                failures: 0,
                at: retry.at.min(soon),
                fixed: false,
            };
        }
        self
    }

    /// Handles a page that is visible again. The timers of a hidden page may be late, and messages may be lost.
    fn handle_visible(mut self, environment: Environment) -> (Self, Vec<Effect>) {
        let epoch = self.epoch;
        let needs_check = match &mut self.state {
            SessionState::SignedIn { held, .. } if !held.is_usable(environment.now) => {
                // Refreshes whatever other tabs do, because the user looks at this tab and will use it.
                held.refused = true;
                return self.refresh();
            }
            SessionState::SignedIn { held, refresh_at, .. } if *refresh_at > environment.now => {
                environment.channel_closed
                    || environment.now.saturating_sub(held.confirmed_at) >= schedule::RECHECK_AFTER
            }
            _ => false,
        };
        if needs_check && self.refresh_pending != Some(epoch) {
            return (self, vec![Effect::Verify { epoch }]);
        }
        self.run_due(environment.now)
    }
}
