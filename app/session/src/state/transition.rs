//! The transitions of the state machine. Each arm handles an event in the current state.

use std::time::Duration;

use api_types::auth::User;

use super::{Epoch, HeldToken, Retry, SessionMachine, SessionState, TokenId};
use crate::{
    SignedOutReason, TabMessage,
    event::{Effect, Event},
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
            Event::Browser {
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

    pub(super) fn run_due(mut self, now: Duration) -> (Self, Vec<Effect>) {
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
    pub(super) fn refresh(mut self) -> (Self, Vec<Effect>) {
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

    pub(super) fn start_epoch(&mut self, to: SessionState) {
        self.epoch.0 += 1;
        self.cookie_unconfirmed = false;
        self.state = to;
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
