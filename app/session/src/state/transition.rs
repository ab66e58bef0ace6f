//! The transitions of the state machine. Each arm handles an event in the current state.

use std::time::Duration;

use api_types::auth::User;

use super::{Epoch, Held, Retry, Session, State, TokenId, left};
use crate::{
    EndedBecause, News, Wakeup,
    event::{Around, Effect, Event},
    schedule,
    verdict::{Ending, Grant},
};

impl Session {
    /// Applies one event.
    pub(crate) fn step(self, event: Event) -> (Self, Vec<Effect>) {
        let before = self.view();
        let (after, mut effects) = self.transition(event);
        let view = after.view();
        if view != before {
            // The view is published before waiting requests resume, so that they see the current page. Only the marker
            // comes before it, because a listener may reload the page.
            let marked = effects
                .iter()
                .take_while(|effect| matches!(effect, Effect::Mark(_)))
                .count();
            effects.insert(marked, Effect::Publish(view));
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
                // A reconnecting session keeps its back-off: a request cannot bypass it.
                State::Refreshing { .. }
                | State::Reconnecting { .. }
                | State::Anonymous { .. }
                | State::Leaving { .. } => (self, vec![]),
            },
            Event::TimerFired { now } => self.do_what_is_due(now),
            Event::SendFailed { epoch, now, jitter } => {
                if epoch == self.epoch && matches!(self.state, State::SignedIn { .. }) {
                    self.lose_contact(now, jitter, None);
                }
                (self, vec![])
            }
            Event::TokenRefused { id } => self.token_refused(id),
            Event::RenewalDropped { epoch } => self.conclude(epoch, |_| None),
            Event::Renewed {
                epoch,
                grant,
                user,
                jitter,
            } => self.conclude(epoch, |session| {
                let somebody_else = session.user().is_some_and(|known| known.id != user.id);
                if somebody_else {
                    // Another user signed in, in another tab: requests of the former user must not be sent with the new
                    // user's token.
                    session.epoch.0 += 1;
                }
                session.cookie_unproven = false;
                let news = News::Renewed {
                    user: user.id.clone(),
                };
                session.hold(grant, user, jitter);
                Some(news)
            }),
            Event::RenewalFailed {
                epoch,
                now,
                jitter,
                retry_after,
            } => self.conclude(epoch, |session| {
                session.lose_contact(now, jitter, retry_after);
                None
            }),
            Event::Ended { epoch, ending } => self.conclude(epoch, |session| session.end(ending)),
            Event::SignedIn {
                departures,
                grant,
                user,
                jitter,
            } => {
                if departures != self.departures {
                    return (self, vec![]);
                }
                self.epoch.0 += 1;
                self.cookie_unproven = true;
                let news = News::SignedIn {
                    user: user.id.clone(),
                };
                self.hold(grant, user, jitter);
                // The server ended the session whose cookie was there before, so no unfinished sign-out remains.
                (
                    self,
                    vec![Effect::Mark(false), Effect::Tell(news), Effect::Release],
                )
            }
            Event::SignOutAsked => {
                self.departures.0 += 1;
                let bearer = self.take_bearer();
                self.leave(State::Leaving {
                    here: true,
                    retry: Retry::default(),
                    trying: true,
                    unfinished: false,
                    somebody_came: false,
                    bearer,
                });
                let effects = vec![Effect::Mark(true), Effect::Tell(News::SignedOut), Effect::Release];
                (self, effects)
            }
            Event::SignOutDone { departures } => match self.state {
                State::Leaving { .. } if departures == self.departures => {
                    let (session, mut effects) = self.settle();
                    // Sent a second time, for tabs that asked the server between the click and now.
                    effects.splice(0..0, [Effect::Mark(false), Effect::Tell(News::SignedOut)]);
                    (session, effects)
                }
                _ => (self, vec![]),
            },
            Event::SignOutSettled => self.settle(),
            Event::SignOutFailed {
                departures,
                now,
                jitter,
                retry_after,
            } => {
                if let State::Leaving {
                    retry,
                    trying,
                    unfinished,
                    ..
                } = &mut self.state
                    && departures == self.departures
                {
                    *retry = retry.after_failure(now, jitter, retry_after);
                    (*trying, *unfinished) = (false, true);
                }
                (self, vec![])
            }
            Event::Heard { news, around } => self.heard(news, around),
            Event::Woken { wakeup, around } => self.woken(wakeup, around),
            Event::Verified { id, now } => {
                if let State::SignedIn { held, .. } = &mut self.state
                    && held.id == id
                {
                    held.proven_at = now;
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

    fn do_what_is_due(mut self, now: Duration) -> (Self, Vec<Effect>) {
        match self.wake_at() {
            Some(at) if at <= now => match &mut self.state {
                State::Leaving { trying, .. } => {
                    *trying = true;
                    (self, vec![Effect::SignOutAgain])
                }
                _ => self.refresh(),
            },
            _ => (self, vec![]),
        }
    }

    /// Requests a refresh, unless one is pending: this makes it single-flight.
    fn refresh(mut self) -> (Self, Vec<Effect>) {
        if let State::Unknown { peeked } = self.state {
            self.state = State::Refreshing { peeked, rumour: None };
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

    /// Handles the end of a refresh, whatever its outcome. The outcome of an older epoch is ignored.
    fn conclude(
        mut self,
        epoch: Epoch,
        change: impl FnOnce(&mut Self) -> Option<News>,
    ) -> (Self, Vec<Effect>) {
        if self.refresh_pending == Some(epoch) {
            self.refresh_pending = None;
        }
        let mut effects = vec![Effect::Release];
        if epoch == self.epoch
            && !self.is_over()
            && let Some(news) = change(&mut self)
        {
            effects.insert(0, Effect::Tell(news));
        }
        (self, effects)
    }

    fn hold(&mut self, grant: Grant, user: User, jitter: f64) {
        self.tokens += 1;
        let held = Held {
            id: TokenId(self.tokens),
            token: grant.token,
            expires_at: grant.asked_at.saturating_add(grant.lifetime),
            lifetime: grant.lifetime,
            refused: false,
            proven_at: grant.asked_at,
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
        let before = match self.state {
            State::Reconnecting { retry, .. } => retry,
            _ => Retry::default(),
        };
        self.state = State::Reconnecting {
            user: self.user().cloned(),
            held: self.held().filter(|held| held.is_usable(now)).cloned(),
            retry: before.after_failure(now, jitter, retry_after),
        };
    }

    /// Ends the session after a definite refusal. Returns the message for the other tabs, unless they reported the end
    /// first.
    fn end(&mut self, ending: Ending) -> Option<News> {
        let rumour = match self.state {
            State::Refreshing { rumour, .. } => rumour,
            _ => None,
        };
        let because = match ending {
            Ending::Because(because) => Some(because),
            // The tab that ended the session had the cookie removed, so its reported reason applies.
            Ending::CookieMissing if rumour.is_some() => rumour,
            Ending::CookieMissing => self.cookie_unproven.then_some(EndedBecause::CookieNotKept),
        };
        self.leave(State::Anonymous { because });
        match because {
            Some(because) if rumour.is_none() => Some(News::Ended { because }),
            _ => None,
        }
    }

    fn leave(&mut self, to: State) {
        self.epoch.0 += 1;
        self.cookie_unproven = false;
        self.state = to;
    }

    // ------------------------------------------------------------------------------------------------ other tabs

    /// Handles a message. It is a hint that may be old: the marker takes precedence, and the server decides.
    fn heard(self, news: News, around: Around) -> (Self, Vec<Effect>) {
        let (session, mut effects) = self.mind_the_marker(around);
        if around.marked {
            // A sign-in removes the marker before it sends its message. So this message is older than the sign-out, or
            // reports it.
            return (session, effects);
        }
        let (session, more) = match (&session.state, news) {
            (State::Leaving { .. }, News::SignedIn { .. }) => session.remember_who_came(),
            (State::Leaving { .. }, _) | (State::Anonymous { .. }, News::SignedOut | News::Ended { .. }) => {
                (session, vec![])
            }
            (_, News::SignedIn { user }) if session.user().is_some_and(|known| known.id == user) => {
                session.distrust_token()
            }
            (State::Anonymous { .. }, News::Renewed { .. }) => (session, vec![]),
            (_, News::Renewed { user }) if session.user().is_none_or(|known| known.id == user) => {
                session.rely_on_another(around)
            }
            (_, News::SignedIn { .. } | News::Renewed { .. }) => session.doubt(None),
            (_, News::SignedOut) => session.doubt(left(false)),
            (_, News::Ended { because }) => session.doubt(Some(because)),
        };
        effects.extend(more);
        (session, effects)
    }

    fn woken(self, wakeup: Wakeup, around: Around) -> (Self, Vec<Effect>) {
        let (session, effects) = self.mind_the_marker(around);
        if !effects.is_empty() {
            return (session, effects);
        }
        match wakeup {
            Wakeup::Marked => (session, vec![]),
            Wakeup::Online => session.hasten(around).do_what_is_due(around.now),
            Wakeup::Shown => session.hasten(around).shown(around),
            Wakeup::Stowed if session.is_over() => (session, vec![]),
            Wakeup::Stowed => {
                let mut session = session;
                session.leave(State::Unknown { peeked: true });
                (session, vec![Effect::Release])
            }
            Wakeup::Unstowed if session.is_over() => session.hasten(around).do_what_is_due(around.now),
            Wakeup::Unstowed => session.doubt(None),
        }
    }

    /// Compares the state with the marker, which is authoritative for sign-outs: a sign-in removes it.
    fn mind_the_marker(mut self, around: Around) -> (Self, Vec<Effect>) {
        match self.state {
            State::Leaving { trying: true, .. } => (self, vec![]),
            State::Leaving { .. } if !around.marked => {
                let (session, mut effects) = self.settle();
                effects.push(Effect::Release);
                (session, effects)
            }
            State::Leaving { .. } => (self, vec![]),
            _ if !around.marked => (self, vec![]),
            _ => {
                // Another tab is about to send the sign-out. If that tab is closed first, this one sends it.
                let at = around
                    .now
                    .saturating_add(schedule::until_retry(3, around.jitter, None));
                let bearer = self.take_bearer();
                self.leave(State::Leaving {
                    here: false,
                    retry: Retry {
                        failures: 0,
                        at,
                        fixed: false,
                    },
                    trying: false,
                    unfinished: false,
                    somebody_came: false,
                    bearer,
                });
                (self, vec![Effect::Release])
            }
        }
    }

    /// Completes the sign-out; no further attempt is needed.
    fn settle(mut self) -> (Self, Vec<Effect>) {
        match self.state {
            State::Leaving {
                here,
                somebody_came: true,
                ..
            } => return self.doubt(left(here)),
            State::Leaving { here, .. } => self.leave(State::Anonymous { because: left(here) }),
            _ => {}
        }
        (self, vec![])
    }

    /// Shows no user until the server has confirmed one. A refresh that is under way may have been answered before the
    /// change, so its outcome is ignored.
    fn doubt(mut self, rumour: Option<EndedBecause>) -> (Self, Vec<Effect>) {
        self.leave(State::Refreshing { peeked: true, rumour });
        let (session, mut effects) = self.refresh();
        effects.push(Effect::Release);
        (session, effects)
    }

    /// Records that a user signed in while a sign-out request is under way. Only the server knows which came first.
    fn remember_who_came(mut self) -> (Self, Vec<Effect>) {
        if let State::Leaving { somebody_came, .. } = &mut self.state {
            *somebody_came = true;
        }
        (self, vec![])
    }

    /// Handles another sign-in of the same user, which ended the session of this token. The next request gets a new
    /// token.
    fn distrust_token(mut self) -> (Self, Vec<Effect>) {
        if self.refresh_pending == Some(self.epoch) {
            // It may be about to report that the former session has ended, which is expected.
            return self.doubt(None);
        }
        if let State::SignedIn { held, .. } = &mut self.state {
            held.refused = true;
        }
        (self, vec![])
    }

    /// Handles a renewal by another tab: postpones the scheduled refresh by one lifetime. Until then this tab refreshes
    /// only when its own requests need a token.
    fn rely_on_another(mut self, around: Around) -> (Self, Vec<Effect>) {
        if let State::SignedIn { held, refresh_at, .. } = &mut self.state {
            let wait = schedule::until_refresh(held.lifetime, around.jitter);
            *refresh_at = around.now.saturating_add(wait);
        }
        (self.hasten(around), vec![])
    }

    /// Schedules an early retry, because the network may be back. Jitter keeps the tabs from retrying at the same time.
    fn hasten(mut self, around: Around) -> Self {
        if let State::Reconnecting { retry, .. } | State::Leaving { retry, .. } = &mut self.state
            && !retry.fixed
        {
            let soon = around.now.saturating_add(schedule::until_hastened(around.jitter));
            *retry = Retry {
                failures: 0,
                at: retry.at.min(soon),
                fixed: false,
            };
        }
        self
    }

    /// Handles a page that is visible again. The timers of a hidden page may be late, and messages may be lost.
    fn shown(mut self, around: Around) -> (Self, Vec<Effect>) {
        let epoch = self.epoch;
        let unproven = match &mut self.state {
            State::SignedIn { held, .. } if !held.is_usable(around.now) => {
                // Refreshes whatever other tabs do, because the user looks at this tab and will use it.
                held.refused = true;
                return self.refresh();
            }
            State::SignedIn { held, refresh_at, .. } if *refresh_at > around.now => {
                around.deaf || around.now.saturating_sub(held.proven_at) >= schedule::PROOF_LASTS
            }
            _ => false,
        };
        if unproven && self.refresh_pending != Some(epoch) {
            return (self, vec![Effect::Verify { epoch }]);
        }
        self.do_what_is_due(around.now)
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
