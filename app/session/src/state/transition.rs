//! The steps of the machine. Each arm says what an event means in the state that it meets.

use std::time::Duration;

use api_types::auth::User;

use super::{Epoch, Held, Session, State, TokenId};
use crate::{
    EndedBecause,
    event::{Effect, Event},
    schedule,
    verdict::{Ending, Grant},
};

impl Session {
    /// One step.
    pub(crate) fn step(self, event: Event) -> (Self, Vec<Effect>) {
        let before = self.view();
        let (after, mut effects) = self.transition(event);
        let view = after.view();
        if view != before {
            // First of all, so that whoever is released finds the page already telling the truth.
            effects.insert(0, Effect::Publish(view));
        }
        (after, effects)
    }

    fn transition(mut self, event: Event) -> (Self, Vec<Effect>) {
        match event {
            Event::RestoreAsked => match self.state {
                State::Unknown { .. } => self.refresh(),
                _ => (self, vec![]),
            },
            Event::TokenWanted => match self.state {
                State::Unknown { .. } | State::SignedIn { .. } => self.refresh(),
                // A reconnecting session keeps to its own pace: a click may not get round the back-off.
                State::Refreshing { .. } | State::Reconnecting { .. } | State::Anonymous { .. } => {
                    (self, vec![])
                }
            },
            Event::TimerFired { now } => match self.wake_at() {
                Some(at) if at <= now => self.refresh(),
                _ => (self, vec![]),
            },
            Event::TokenRefused { id } => self.token_refused(id),
            Event::RenewalDropped => {
                self.refresh_pending = false;
                (self, vec![Effect::Release])
            }
            Event::Renewed {
                epoch,
                grant,
                user,
                jitter,
            } => self.conclude(epoch, |session| {
                let somebody_else = session.user().is_some_and(|known| known.id != user.id);
                if somebody_else {
                    // Another tab signed in as somebody else: requests of the former user must not go out as the
                    // new one's.
                    session.epoch.0 += 1;
                }
                session.cookie_unproven = false;
                session.hold(grant, user, jitter);
            }),
            Event::RenewalFailed {
                epoch,
                now,
                jitter,
                retry_after,
            } => self.conclude(epoch, |session| {
                session.lose_contact(now, jitter, retry_after);
            }),
            Event::Ended { epoch, ending } => self.conclude(epoch, |session| {
                let because = match ending {
                    Ending::Because(because) => Some(because),
                    Ending::CookieMissing => session.cookie_unproven.then_some(EndedBecause::CookieNotKept),
                };
                session.forget(because);
            }),
            Event::SignedIn {
                epoch,
                grant,
                user,
                jitter,
            } => {
                if epoch != self.epoch {
                    return (self, vec![]);
                }
                self.epoch.0 += 1;
                self.cookie_unproven = true;
                self.hold(grant, user, jitter);
                (self, vec![Effect::Release])
            }
            Event::SignOutAsked => {
                self.forget(None);
                (self, vec![Effect::Release])
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

    /// Asks for a refresh, unless one is pending: this is what makes it single-flight.
    fn refresh(mut self) -> (Self, Vec<Effect>) {
        if let State::Unknown { peeked } = self.state {
            self.state = State::Refreshing { peeked };
        }
        if self.refresh_pending {
            return (self, vec![]);
        }
        self.refresh_pending = true;
        let epoch = self.epoch;
        (self, vec![Effect::Refresh { epoch }])
    }

    /// A 401 counts against the token that was sent. If another has taken its place meanwhile, that one is tried first.
    fn token_refused(mut self, id: TokenId) -> (Self, Vec<Effect>) {
        let held = match &mut self.state {
            State::SignedIn { held, .. } => Some(held),
            State::Reconnecting { held, .. } => held.as_mut(),
            _ => None,
        };
        match held {
            Some(held) if held.id == id => held.refused = true,
            _ => return (self, vec![]),
        }
        match self.state {
            State::SignedIn { .. } => self.refresh(),
            _ => (self, vec![]),
        }
    }

    /// The end of a refresh, whatever it brought. What belongs to an older epoch is let fall.
    fn conclude(mut self, epoch: Epoch, change: impl FnOnce(&mut Self)) -> (Self, Vec<Effect>) {
        self.refresh_pending = false;
        if epoch == self.epoch && !matches!(self.state, State::Anonymous { .. }) {
            change(&mut self);
        }
        (self, vec![Effect::Release])
    }

    fn hold(&mut self, grant: Grant, user: User, jitter: f64) {
        self.tokens += 1;
        let held = Held {
            id: TokenId(self.tokens),
            token: grant.token,
            expires_at: grant.asked_at.saturating_add(grant.lifetime),
            refused: false,
        };
        let refresh_at = grant
            .asked_at
            .saturating_add(schedule::until_refresh(grant.lifetime, jitter));
        self.state = State::SignedIn {
            user,
            held,
            refresh_at,
        };
    }

    fn lose_contact(&mut self, now: Duration, jitter: f64, retry_after: Option<Duration>) {
        let failures = match self.state {
            State::Reconnecting { failures, .. } => failures.saturating_add(1),
            _ => 1,
        };
        self.state = State::Reconnecting {
            user: self.user().cloned(),
            held: self.held().filter(|held| held.is_usable(now)).cloned(),
            failures,
            retry_at: now.saturating_add(schedule::until_retry(failures, jitter, retry_after)),
        };
    }

    fn forget(&mut self, because: Option<EndedBecause>) {
        self.epoch.0 += 1;
        self.cookie_unproven = false;
        self.state = State::Anonymous { because };
    }
}
