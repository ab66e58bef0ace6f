//! The transitions of the state machine. Each arm handles an event in the current state.

use std::time::Duration;

use api_types::auth::User;

use super::{Epoch, HeldToken, Retry, SessionMachine, SessionState, TokenId, sign_out_reason};
use crate::{
    BrowserEvent, SignedOutReason, TabMessage,
    event::{Effect, Environment, Event},
    refresh_response::{Grant, NoSessionCause},
    schedule,
};

impl SessionMachine {
    /// Applies one event.
    pub(crate) fn step(self, event: Event) -> (Self, Vec<Effect>) {
        let before = self.view();
        let (after, mut effects) = self.transition(event);
        let view = after.view();
        if view != before {
            // The view is published before waiting requests resume, so that they see the current page. Only the marker
            // comes before it, because a listener may reload the page.
            let marker_effects = effects
                .iter()
                .take_while(|effect| matches!(effect, Effect::SetMarker(_)))
                .count();
            effects.insert(marker_effects, Effect::Publish(view));
        }
        (after, effects)
    }

    fn transition(mut self, event: Event) -> (Self, Vec<Effect>) {
        match event {
            Event::RestoreRequested => match self.state {
                SessionState::Unknown { .. } => self.refresh(),
                _ => (self, vec![]),
            },
            Event::TokenNeeded => match self.state {
                SessionState::Unknown { .. } | SessionState::SignedIn { .. } => self.refresh(),
                // A reconnecting session keeps its back-off: a request cannot bypass it.
                SessionState::Refreshing { .. }
                | SessionState::Reconnecting { .. }
                | SessionState::Anonymous { .. }
                | SessionState::SigningOut { .. } => (self, vec![]),
            },
            Event::TimerFired { now } => self.run_due(now),
            Event::SendFailed { epoch, now, jitter } => {
                if epoch == self.epoch && matches!(self.state, SessionState::SignedIn { .. }) {
                    self.mark_unreachable(now, jitter, None);
                }
                (self, vec![])
            }
            Event::TokenRefused { id } => self.token_refused(id),
            Event::RenewalDropped { epoch } => self.complete_refresh(epoch, |_| None),
            Event::Renewed {
                epoch,
                grant,
                user,
                jitter,
            } => self.complete_refresh(epoch, |session| {
                let user_changed = session.user().is_some_and(|known| known.id != user.id);
                if user_changed {
                    // Another user signed in, in another tab: requests of the former user must not be sent with the new
                    // user's token.
                    session.epoch.0 += 1;
                }
                session.cookie_unconfirmed = false;
                let message = TabMessage::Renewed {
                    user: user.id.clone(),
                };
                session.store_token(grant, user, jitter);
                Some(message)
            }),
            Event::RenewalFailed {
                epoch,
                now,
                jitter,
                retry_after,
            } => self.complete_refresh(epoch, |session| {
                session.mark_unreachable(now, jitter, retry_after);
                None
            }),
            Event::Ended { epoch, cause } => self.complete_refresh(epoch, |session| session.end(cause)),
            Event::SignedIn {
                sign_out_count,
                grant,
                user,
                jitter,
            } => {
                if sign_out_count != self.sign_out_count {
                    return (self, vec![]);
                }
                self.epoch.0 += 1;
                self.cookie_unconfirmed = true;
                let message = TabMessage::SignedIn {
                    user: user.id.clone(),
                };
                self.store_token(grant, user, jitter);
                // The server ended the session whose cookie was there before, so no unfinished sign-out remains.
                (
                    self,
                    vec![
                        Effect::SetMarker(false),
                        Effect::Broadcast(message),
                        Effect::ResumeWaiters,
                    ],
                )
            }
            Event::SignOutRequested => {
                self.sign_out_count.0 += 1;
                let bearer = self.take_bearer();
                self.start_epoch(SessionState::SigningOut {
                    in_this_tab: true,
                    retry: Retry::default(),
                    attempt_pending: true,
                    has_failed: false,
                    signed_in_elsewhere: false,
                    bearer,
                });
                let effects = vec![
                    Effect::SetMarker(true),
                    Effect::Broadcast(TabMessage::SignedOut),
                    Effect::ResumeWaiters,
                ];
                (self, effects)
            }
            Event::SignOutDone { sign_out_count } => match self.state {
                SessionState::SigningOut { .. } if sign_out_count == self.sign_out_count => {
                    let (session, mut effects) = self.finish_sign_out();
                    // Sent a second time, for tabs that asked the server between the click and now.
                    effects.splice(
                        0..0,
                        [Effect::SetMarker(false), Effect::Broadcast(TabMessage::SignedOut)],
                    );
                    (session, effects)
                }
                _ => (self, vec![]),
            },
            Event::MarkerRemoved => self.finish_sign_out(),
            Event::SignOutFailed {
                sign_out_count,
                now,
                jitter,
                retry_after,
            } => {
                if let SessionState::SigningOut {
                    retry,
                    attempt_pending,
                    has_failed,
                    ..
                } = &mut self.state
                    && sign_out_count == self.sign_out_count
                {
                    *retry = retry.after_failure(now, jitter, retry_after);
                    (*attempt_pending, *has_failed) = (false, true);
                }
                (self, vec![])
            }
            Event::MessageReceived { message, environment } => self.handle_message(message, environment),
            Event::BrowserEvent {
                browser_event,
                environment,
            } => self.handle_browser_event(browser_event, environment),
            Event::Verified { id, now } => {
                if let SessionState::SignedIn { held, .. } = &mut self.state
                    && held.id == id
                {
                    held.confirmed_at = now;
                }
                (self, vec![])
            }
            Event::UserChanged { epoch, user } => {
                if epoch == self.epoch
                    && let Some(known) = self.user_mut()
                    && known.id == user.id
                {
                    *known = user;
                }
                (self, vec![])
            }
        }
    }

    fn run_due(mut self, now: Duration) -> (Self, Vec<Effect>) {
        match self.wake_at() {
            Some(at) if at <= now => match &mut self.state {
                SessionState::SigningOut { attempt_pending, .. } => {
                    *attempt_pending = true;
                    (self, vec![Effect::RetrySignOut])
                }
                _ => self.refresh(),
            },
            _ => (self, vec![]),
        }
    }

    /// Requests a refresh, unless one is pending: this makes it single-flight.
    fn refresh(mut self) -> (Self, Vec<Effect>) {
        if let SessionState::Unknown { cookie_seen } = self.state {
            self.state = SessionState::Refreshing {
                cookie_seen,
                reported_reason: None,
            };
        }
        if self.refresh_pending == Some(self.epoch) {
            return (self, vec![]);
        }
        self.refresh_pending = Some(self.epoch);
        let epoch = self.epoch;
        (self, vec![Effect::Refresh { epoch }])
    }

    /// Handles a 401 for the token that was sent. If a newer token has replaced it meanwhile, that one is tried first.
    fn token_refused(mut self, id: TokenId) -> (Self, Vec<Effect>) {
        let held = match &mut self.state {
            SessionState::SignedIn { held, .. } => Some(held),
            SessionState::Reconnecting { held, .. } => held.as_mut(),
            _ => None,
        };
        match held {
            Some(held) if held.id == id => held.refused = true,
            _ => return (self, vec![]),
        }
        match self.state {
            SessionState::SignedIn { .. } => self.refresh(),
            _ => (self, vec![]),
        }
    }

    /// Handles the end of a refresh, whatever its outcome. The outcome of an older epoch is ignored.
    fn complete_refresh(
        mut self,
        epoch: Epoch,
        change: impl FnOnce(&mut Self) -> Option<TabMessage>,
    ) -> (Self, Vec<Effect>) {
        if self.refresh_pending == Some(epoch) {
            self.refresh_pending = None;
        }
        let mut effects = vec![Effect::ResumeWaiters];
        if epoch == self.epoch
            && !self.is_signed_out()
            && let Some(message) = change(&mut self)
        {
            effects.insert(0, Effect::Broadcast(message));
        }
        (self, effects)
    }

    fn store_token(&mut self, grant: Grant, user: User, jitter: f64) {
        self.token_count += 1;
        let held = HeldToken {
            id: TokenId(self.token_count),
            token: grant.token,
            expires_at: grant.requested_at.saturating_add(grant.lifetime),
            lifetime: grant.lifetime,
            refused: false,
            confirmed_at: grant.requested_at,
        };
        let refresh_at = grant
            .requested_at
            .saturating_add(schedule::until_refresh(grant.lifetime, jitter));
        self.state = SessionState::SignedIn {
            user,
            held,
            refresh_at,
        };
    }

    fn mark_unreachable(&mut self, now: Duration, jitter: f64, retry_after: Option<Duration>) {
        let before = match self.state {
            SessionState::Reconnecting { retry, .. } => retry,
            _ => Retry::default(),
        };
        self.state = SessionState::Reconnecting {
            user: self.user().cloned(),
            held: self.held().filter(|held| held.is_usable(now)).cloned(),
            retry: before.after_failure(now, jitter, retry_after),
        };
    }

    /// Ends the session after a definite refusal. Returns the message for the other tabs, unless they reported the end
    /// first.
    fn end(&mut self, cause: NoSessionCause) -> Option<TabMessage> {
        let reported_reason = match self.state {
            SessionState::Refreshing { reported_reason, .. } => reported_reason,
            _ => None,
        };
        let reason = match cause {
            NoSessionCause::Reported(reason) => Some(reason),
            // The tab that ended the session had the cookie removed, so its reported reason applies.
            NoSessionCause::CookieMissing if reported_reason.is_some() => reported_reason,
            NoSessionCause::CookieMissing => {
                self.cookie_unconfirmed.then_some(SignedOutReason::CookieNotKept)
            }
        };
        self.start_epoch(SessionState::Anonymous { reason });
        match reason {
            Some(reason) if reported_reason.is_none() => Some(TabMessage::Ended { reason }),
            _ => None,
        }
    }

    fn start_epoch(&mut self, to: SessionState) {
        self.epoch.0 += 1;
        self.cookie_unconfirmed = false;
        self.state = to;
    }

    // ------------------------------------------------------------------------------------------------ other tabs

    /// Handles a message. It is a hint that may be old: the marker takes precedence, and the server decides.
    fn handle_message(self, message: TabMessage, environment: Environment) -> (Self, Vec<Effect>) {
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

    fn handle_browser_event(
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
    fn finish_sign_out(mut self) -> (Self, Vec<Effect>) {
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

impl Retry {
    fn after_failure(self, now: Duration, jitter: f64, retry_after: Option<Duration>) -> Self {
        let failures = self.failures.saturating_add(1);
        Self {
            failures,
            at: now.saturating_add(schedule::until_retry(failures, jitter, retry_after)),
            fixed: retry_after.is_some(),
        }
    }
}
