//! Tests of every transition, without a browser, a clock or a future.

use super::*;
use crate::{
    BrowserEvent, TabMessage,
    event::{Effect, Environment, Event},
    refresh_response::{Grant, NoSessionCause},
};

const EPOCH: Epoch = Epoch(0);

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn user(id: &str) -> User {
    User {
        id: id.into(),
        email: format!("{id}@example.com"),
        display_name: None,
        role: "user".into(),
        created_at: 0,
    }
}

fn grant(at: u64) -> Grant {
    Grant {
        token: AccessToken::new(format!("token-{at}")).expect("well-formed"),
        requested_at: secs(at),
        lifetime: secs(900),
    }
}

fn renewed(epoch: Epoch, at: u64, id: &str) -> Event {
    Event::Renewed {
        epoch,
        grant: grant(at),
        user: user(id),
        jitter: 0.0,
    }
}

fn signed_in(sign_out_count: SignOutCount, at: u64, id: &str) -> Event {
    Event::SignedIn {
        sign_out_count,
        grant: grant(at),
        user: user(id),
        jitter: 0.0,
    }
}

fn failed(epoch: Epoch, at: u64) -> Event {
    Event::RenewalFailed {
        epoch,
        now: secs(at),
        jitter: 0.0,
        retry_after: None,
    }
}

fn ended(epoch: Epoch, reason: SignedOutReason) -> Event {
    Event::Ended {
        epoch,
        cause: NoSessionCause::Reported(reason),
    }
}

fn missing(epoch: Epoch) -> Event {
    Event::Ended {
        epoch,
        cause: NoSessionCause::CookieMissing,
    }
}

/// The session after these events, and the effects of the last of them.
fn after(initial: SessionView, events: impl IntoIterator<Item = Event>) -> (SessionMachine, Vec<Effect>) {
    events
        .into_iter()
        .fold((SessionMachine::from(initial), vec![]), |(session, _), event| {
            session.step(event)
        })
}

fn fresh(events: impl IntoIterator<Item = Event>) -> (SessionMachine, Vec<Effect>) {
    after(SessionView::Unknown, events)
}

fn refreshes(effects: &[Effect]) -> usize {
    effects
        .iter()
        .filter(|effect| matches!(effect, Effect::Refresh { .. }))
        .count()
}

fn renewal_broadcast(id: &str) -> Effect {
    Effect::Broadcast(TabMessage::Renewed { user: id.into() })
}

fn view_of(id: &str, expires_at: u64) -> SessionView {
    SessionView::SignedIn {
        user: user(id),
        expires_at: secs(expires_at),
    }
}

#[test]
fn initial_views_are_kept_but_without_a_token() {
    let start = |view: SessionView| SessionMachine::from(view).view();
    assert_eq!(start(SessionView::Unknown), SessionView::Unknown);
    assert_eq!(start(SessionView::Restoring), SessionView::Restoring);
    let gone = SessionView::Anonymous {
        reason: Some(SignedOutReason::Expired),
    };
    assert_eq!(start(gone.clone()), gone);
    assert_eq!(start(view_of("ada", 900)), SessionView::Restoring);
    assert_eq!(
        start(SessionView::Reconnecting { user: None }),
        SessionView::Restoring
    );
}

#[test]
fn unknown_to_refreshing_on_restore_or_request() {
    for event in [Event::RestoreRequested, Event::TokenNeeded] {
        let (session, effects) = fresh([event]);
        assert_eq!(
            session.state,
            SessionState::Refreshing {
                cookie_seen: false,
                reported_reason: None
            }
        );
        assert_eq!(
            effects,
            [Effect::Refresh { epoch: EPOCH }],
            "and the view is still `Unknown`"
        );
    }
    let (session, _) = after(SessionView::Restoring, [Event::RestoreRequested]);
    assert_eq!(session.view(), SessionView::Restoring);
}

#[test]
fn refreshing_to_signed_in() {
    let (session, effects) = fresh([Event::RestoreRequested, renewed(EPOCH, 10, "ada")]);
    assert_eq!(session.view(), view_of("ada", 910));
    assert_eq!(session.wake_at(), Some(secs(10 + 840)));
    assert_eq!(
        effects,
        [
            Effect::Publish(view_of("ada", 910)),
            renewal_broadcast("ada"),
            Effect::ResumeWaiters
        ]
    );
}

#[test]
fn refreshing_to_anonymous_gives_the_reason() {
    for reason in [
        SignedOutReason::Expired,
        SignedOutReason::Reused,
        SignedOutReason::Invalid,
        SignedOutReason::AccountDisabled,
        SignedOutReason::Revoked(None),
    ] {
        let (session, effects) = fresh([Event::RestoreRequested, ended(EPOCH, reason)]);
        let view = SessionView::Anonymous { reason: Some(reason) };
        let message = TabMessage::Ended { reason };
        assert_eq!(
            effects,
            [
                Effect::Publish(view),
                Effect::Broadcast(message),
                Effect::ResumeWaiters
            ]
        );
        assert_eq!(session.wake_at(), None);
    }
}

#[test]
fn a_missing_cookie_has_a_reason_only_after_sign_in() {
    let reason = |events: Vec<Event>| match fresh(events).0.state {
        SessionState::Anonymous { reason } => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(reason(vec![Event::RestoreRequested, missing(EPOCH)]), None);
    let due = |at| Event::TimerFired { now: secs(at) };
    assert_eq!(
        reason(vec![
            signed_in(SignOutCount(0), 0, "ada"),
            due(840),
            missing(Epoch(1))
        ]),
        Some(SignedOutReason::CookieNotKept)
    );
    // One refresh has proved that the browser keeps the cookie; another tab has signed out since.
    assert_eq!(
        reason(vec![
            signed_in(SignOutCount(0), 0, "ada"),
            due(840),
            renewed(Epoch(1), 840, "ada"),
            due(1680),
            missing(Epoch(1))
        ]),
        None
    );
}

#[test]
fn refreshing_to_reconnecting_and_back() {
    let (session, effects) = fresh([Event::RestoreRequested, failed(EPOCH, 5)]);
    let view = SessionView::Reconnecting { user: None };
    assert_eq!(effects, [Effect::Publish(view), Effect::ResumeWaiters]);
    assert_eq!(session.wake_at(), Some(secs(6)));

    let (session, effects) = session.step(Event::TimerFired { now: secs(6) });
    assert_eq!(effects, [Effect::Refresh { epoch: EPOCH }]);
    let (session, _) = session.step(renewed(EPOCH, 6, "ada"));
    assert_eq!(session.view(), view_of("ada", 906));
}

#[test]
fn reconnecting_backs_off_without_publishing() {
    let (mut session, _) = fresh([Event::RestoreRequested, failed(EPOCH, 0)]);
    for wait in [1, 2, 4, 8, 16, 30, 30] {
        assert_eq!(session.wake_at(), Some(secs(wait)));
        let (next, _) = session.step(Event::TimerFired { now: secs(wait) });
        assert_eq!(next.wake_at(), None, "its outcome sets the next time");
        let (next, effects) = next.step(failed(EPOCH, 0));
        assert_eq!(effects, [Effect::ResumeWaiters]);
        session = next;
    }
    let (session, _) = session.step(ended(EPOCH, SignedOutReason::Expired));
    assert!(matches!(session.state, SessionState::Anonymous { .. }));
}

#[test]
fn a_request_does_not_bypass_the_back_off() {
    let (_, effects) = fresh([Event::RestoreRequested, failed(EPOCH, 0), Event::TokenNeeded]);
    assert_eq!(effects, []);
}

#[test]
fn signed_in_stays_signed_in_while_it_is_renewed() {
    let (session, effects) = fresh([
        Event::RestoreRequested,
        renewed(EPOCH, 0, "ada"),
        Event::TimerFired { now: secs(840) },
    ]);
    assert_eq!(effects, [Effect::Refresh { epoch: EPOCH }]);
    let (session, effects) = session.step(renewed(EPOCH, 840, "ada"));
    assert_eq!(session.epoch, EPOCH, "the same session goes on");
    assert_eq!(
        effects,
        [
            Effect::Publish(view_of("ada", 1740)),
            renewal_broadcast("ada"),
            Effect::ResumeWaiters
        ]
    );
}

#[test]
fn a_timer_that_fires_early_finds_nothing_due() {
    let events = [
        Event::RestoreRequested,
        renewed(EPOCH, 0, "ada"),
        Event::TimerFired { now: secs(839) },
    ];
    let (session, effects) = fresh(events);
    assert_eq!(effects, []);
    assert_eq!(session.wake_at(), Some(secs(840)));
}

#[test]
fn concurrent_triggers_share_one_refresh() {
    let (mut session, _) = fresh([Event::RestoreRequested, renewed(EPOCH, 0, "ada")]);
    let id = session.held().expect("signed in").id;
    let mut refresh_count = 0;
    for event in [
        Event::TokenRefused { id },
        Event::TokenRefused { id },
        Event::TokenNeeded,
        Event::TimerFired { now: secs(9_999) },
        Event::RestoreRequested,
    ] {
        let (next, effects) = session.step(event);
        refresh_count += refreshes(&effects);
        session = next;
    }
    assert_eq!(refresh_count, 1);
}

#[test]
fn only_the_current_token_can_be_refused() {
    let (session, _) = fresh([Event::RestoreRequested, renewed(EPOCH, 0, "ada")]);
    let old = session.held().expect("signed in").id;
    let (session, effects) = session.step(Event::TokenRefused { id: old });
    assert_eq!(refreshes(&effects), 1);
    assert!(
        !session
            .held()
            .expect("still shown as signed in")
            .is_usable(secs(1))
    );

    let (session, _) = session.step(renewed(EPOCH, 1, "ada"));
    let (session, effects) = session.step(Event::TokenRefused { id: old });
    assert_eq!(effects, [], "a newer token has taken its place");
    assert!(session.held().expect("signed in").is_usable(secs(1)));
}

#[test]
fn a_failed_renewal_keeps_a_valid_token() {
    let events = || {
        [
            Event::RestoreRequested,
            renewed(EPOCH, 0, "ada"),
            Event::TimerFired { now: secs(840) },
            failed(EPOCH, 841),
        ]
    };
    let (session, effects) = fresh(events());
    let view = SessionView::Reconnecting {
        user: Some(user("ada")),
    };
    assert_eq!(effects, [Effect::Publish(view), Effect::ResumeWaiters]);
    let held = session.held().expect("60 seconds are left").clone();
    assert!(held.is_usable(secs(899)));
    assert!(!held.is_usable(secs(900)));

    let (session, effects) = session.step(Event::TokenRefused { id: held.id });
    assert_eq!(effects, [], "the next attempt is on its way already");
    assert!(!session.held().expect("kept to be compared").is_usable(secs(842)));
}

#[test]
fn a_failed_renewal_drops_refused_and_expired_tokens() {
    let (session, _) = fresh([Event::RestoreRequested, renewed(EPOCH, 0, "ada")]);
    let id = session.held().expect("signed in").id;
    let (refused, _) = session.clone().step(Event::TokenRefused { id });
    assert_eq!(refused.step(failed(EPOCH, 1)).0.held(), None);
    let (late, _) = session.step(Event::TimerFired { now: secs(9_999) });
    assert_eq!(late.step(failed(EPOCH, 9_999)).0.held(), None);
}

#[test]
fn sign_in_leads_to_signed_in_from_every_state() {
    let restored = || vec![Event::RestoreRequested, renewed(EPOCH, 0, "ada")];
    let lost = || vec![Event::RestoreRequested, failed(EPOCH, 0)];
    for events in [vec![], restored(), lost()] {
        let (session, _) = fresh(events);
        let (session, effects) = session.step(signed_in(SignOutCount(0), 50, "bob"));
        let message = TabMessage::SignedIn { user: "bob".into() };
        assert_eq!(
            effects,
            [
                Effect::SetMarker(false),
                Effect::Publish(view_of("bob", 950)),
                Effect::Broadcast(message),
                Effect::ResumeWaiters
            ]
        );
        assert_eq!(session.epoch, Epoch(1));
    }
    let gone = SessionView::Anonymous { reason: None };
    let (session, _) = after(gone, [signed_in(SignOutCount(0), 50, "bob")]);
    assert_eq!(session.view(), view_of("bob", 950));
}

#[test]
fn late_outcomes_after_sign_out_are_ignored() {
    let starts = [
        vec![],
        vec![Event::RestoreRequested],
        vec![Event::RestoreRequested, renewed(EPOCH, 0, "ada")],
        vec![
            Event::RestoreRequested,
            renewed(EPOCH, 0, "ada"),
            Event::TimerFired { now: secs(840) },
        ],
        vec![Event::RestoreRequested, failed(EPOCH, 0)],
    ];
    for events in starts {
        let (session, _) = fresh(events);
        let (session, effects) = session.step(Event::SignOutRequested);
        assert!(effects.contains(&Effect::ResumeWaiters));
        assert_eq!(session.held(), None);
        let anonymous = SessionView::Anonymous { reason: None };
        for late in [
            renewed(EPOCH, 1, "ada"),
            signed_in(SignOutCount(0), 1, "ada"),
            failed(EPOCH, 1),
            ended(EPOCH, SignedOutReason::Reused),
            Event::UserChanged {
                epoch: EPOCH,
                user: user("ada"),
            },
            Event::RestoreRequested,
            Event::TokenNeeded,
            Event::TimerFired { now: secs(9_999) },
        ] {
            let (after, effects) = session.clone().step(late.clone());
            assert_eq!(after.view(), anonymous, "{late:?}");
            assert_eq!(refreshes(&effects), 0, "{late:?}");
        }
    }
}

#[test]
fn a_refresh_of_an_old_session_does_not_change_the_new() {
    let (session, _) = fresh([
        Event::RestoreRequested,
        renewed(EPOCH, 0, "ada"),
        Event::TimerFired { now: secs(840) },
        signed_in(SignOutCount(0), 841, "bob"),
    ]);
    for late in [
        renewed(EPOCH, 840, "ada"),
        failed(EPOCH, 842),
        missing(EPOCH),
        Event::RenewalDropped { epoch: EPOCH },
    ] {
        let (after, effects) = session.clone().step(late);
        assert_eq!(after.view(), view_of("bob", 1741));
        assert_eq!(effects, [Effect::ResumeWaiters]);
        assert_eq!(
            after.wake_at(),
            Some(secs(841 + 840)),
            "and the next refresh is bob's"
        );
    }
}

#[test]
fn another_users_token_starts_a_new_epoch() {
    let (session, _) = fresh([
        Event::RestoreRequested,
        renewed(EPOCH, 0, "ada"),
        Event::TimerFired { now: secs(840) },
        renewed(EPOCH, 840, "bob"),
    ]);
    assert_eq!(session.epoch, Epoch(1));
    assert_eq!(session.view(), view_of("bob", 1740));
}

#[test]
fn profile_updates_apply_to_the_same_user_only() {
    let renamed = |id: &str| User {
        display_name: Some("New".into()),
        ..user(id)
    };
    let (session, _) = fresh([Event::RestoreRequested, renewed(EPOCH, 0, "ada")]);
    let (_, effects) = session.clone().step(Event::UserChanged {
        epoch: EPOCH,
        user: renamed("ada"),
    });
    let view = SessionView::SignedIn {
        user: renamed("ada"),
        expires_at: secs(900),
    };
    assert_eq!(effects, [Effect::Publish(view)]);
    for event in [
        Event::UserChanged {
            epoch: EPOCH,
            user: renamed("bob"),
        },
        Event::UserChanged {
            epoch: Epoch(7),
            user: renamed("ada"),
        },
    ] {
        assert_eq!(session.clone().step(event).1, []);
    }
}

#[test]
fn going_online_retries_early_except_after_retry_after() {
    let online = |retry_after| {
        let failed = Event::RenewalFailed {
            epoch: EPOCH,
            now: secs(0),
            jitter: 0.0,
            retry_after,
        };
        let environment = Environment {
            now: secs(0),
            jitter: 0.5,
            marker_set: false,
            channel_closed: false,
        };
        let browser_event = BrowserEvent::Online;
        let (session, _) = fresh([
            Event::RestoreRequested,
            failed,
            Event::Browser {
                browser_event,
                environment,
            },
        ]);
        session.wake_at()
    };
    assert_eq!(online(None), Some(Duration::from_millis(500)));
    assert_eq!(online(Some(secs(20))), Some(secs(20)));
}
