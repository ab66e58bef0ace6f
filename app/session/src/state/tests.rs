//! Tests of every transition, without a browser, a clock or a future.

use super::*;
use crate::{
    News, Wakeup,
    event::{Around, Effect, Event},
    verdict::{Ending, Grant},
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
        asked_at: secs(at),
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

fn signed_in(departures: Departures, at: u64, id: &str) -> Event {
    Event::SignedIn {
        departures,
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

fn ended(epoch: Epoch, because: EndedBecause) -> Event {
    Event::Ended {
        epoch,
        ending: Ending::Because(because),
    }
}

fn missing(epoch: Epoch) -> Event {
    Event::Ended {
        epoch,
        ending: Ending::CookieMissing,
    }
}

/// The session after these events, and the effects of the last of them.
fn after(initial: SessionView, events: impl IntoIterator<Item = Event>) -> (Session, Vec<Effect>) {
    events
        .into_iter()
        .fold((Session::from(initial), vec![]), |(session, _), event| {
            session.step(event)
        })
}

fn fresh(events: impl IntoIterator<Item = Event>) -> (Session, Vec<Effect>) {
    after(SessionView::Unknown, events)
}

fn refreshes(effects: &[Effect]) -> usize {
    effects
        .iter()
        .filter(|effect| matches!(effect, Effect::Refresh { .. }))
        .count()
}

fn told_of_renewal(id: &str) -> Effect {
    Effect::Tell(News::Renewed { user: id.into() })
}

fn view_of(id: &str, expires_at: u64) -> SessionView {
    SessionView::SignedIn {
        user: user(id),
        expires_at: secs(expires_at),
    }
}

#[test]
fn an_initial_view_is_taken_at_its_word_except_for_tokens_it_cannot_hold() {
    let start = |view: SessionView| Session::from(view).view();
    assert_eq!(start(SessionView::Unknown), SessionView::Unknown);
    assert_eq!(start(SessionView::Restoring), SessionView::Restoring);
    let gone = SessionView::Anonymous {
        because: Some(EndedBecause::Expired),
    };
    assert_eq!(start(gone.clone()), gone);
    assert_eq!(start(view_of("ada", 900)), SessionView::Restoring);
    assert_eq!(
        start(SessionView::Reconnecting { user: None }),
        SessionView::Restoring
    );
}

#[test]
fn unknown_to_refreshing_when_the_page_or_a_request_asks() {
    for event in [Event::RestoreAsked, Event::TokenWanted] {
        let (session, effects) = fresh([event]);
        assert_eq!(
            session.state,
            State::Refreshing {
                peeked: false,
                rumour: None
            }
        );
        assert_eq!(
            effects,
            [Effect::Refresh { epoch: EPOCH }],
            "and the view is still `Unknown`"
        );
    }
    let (session, _) = after(SessionView::Restoring, [Event::RestoreAsked]);
    assert_eq!(session.view(), SessionView::Restoring);
}

#[test]
fn refreshing_to_signed_in() {
    let (session, effects) = fresh([Event::RestoreAsked, renewed(EPOCH, 10, "ada")]);
    assert_eq!(session.view(), view_of("ada", 910));
    assert_eq!(session.wake_at(), Some(secs(10 + 840)));
    assert_eq!(
        effects,
        [
            Effect::Publish(view_of("ada", 910)),
            told_of_renewal("ada"),
            Effect::Release
        ]
    );
}

#[test]
fn refreshing_to_anonymous_says_why() {
    for because in [
        EndedBecause::Expired,
        EndedBecause::Reused,
        EndedBecause::Invalid,
        EndedBecause::AccountDisabled,
        EndedBecause::Revoked(None),
    ] {
        let (session, effects) = fresh([Event::RestoreAsked, ended(EPOCH, because)]);
        let view = SessionView::Anonymous {
            because: Some(because),
        };
        let news = News::Ended { because };
        assert_eq!(
            effects,
            [Effect::Publish(view), Effect::Tell(news), Effect::Release]
        );
        assert_eq!(session.wake_at(), None);
    }
}

#[test]
fn no_cookie_is_no_news_unless_this_page_just_signed_in() {
    let because = |events: Vec<Event>| match fresh(events).0.state {
        State::Anonymous { because } => because,
        other => panic!("{other:?}"),
    };
    assert_eq!(because(vec![Event::RestoreAsked, missing(EPOCH)]), None);
    let due = |at| Event::TimerFired { now: secs(at) };
    assert_eq!(
        because(vec![
            signed_in(Departures(0), 0, "ada"),
            due(840),
            missing(Epoch(1))
        ]),
        Some(EndedBecause::CookieNotKept)
    );
    // One refresh has proved that the browser keeps the cookie; another tab has signed out since.
    assert_eq!(
        because(vec![
            signed_in(Departures(0), 0, "ada"),
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
    let (session, effects) = fresh([Event::RestoreAsked, failed(EPOCH, 5)]);
    let view = SessionView::Reconnecting { user: None };
    assert_eq!(effects, [Effect::Publish(view), Effect::Release]);
    assert_eq!(session.wake_at(), Some(secs(6)));

    let (session, effects) = session.step(Event::TimerFired { now: secs(6) });
    assert_eq!(effects, [Effect::Refresh { epoch: EPOCH }]);
    let (session, _) = session.step(renewed(EPOCH, 6, "ada"));
    assert_eq!(session.view(), view_of("ada", 906));
}

#[test]
fn reconnecting_waits_longer_each_time_and_says_nothing_new() {
    let (mut session, _) = fresh([Event::RestoreAsked, failed(EPOCH, 0)]);
    for wait in [1, 2, 4, 8, 16, 30, 30] {
        assert_eq!(session.wake_at(), Some(secs(wait)));
        let (next, _) = session.step(Event::TimerFired { now: secs(wait) });
        assert_eq!(next.wake_at(), None, "its outcome sets the next time");
        let (next, effects) = next.step(failed(EPOCH, 0));
        assert_eq!(effects, [Effect::Release]);
        session = next;
    }
    let (session, _) = session.step(ended(EPOCH, EndedBecause::Expired));
    assert!(matches!(session.state, State::Anonymous { .. }));
}

#[test]
fn a_request_does_not_get_round_the_back_off() {
    let (_, effects) = fresh([Event::RestoreAsked, failed(EPOCH, 0), Event::TokenWanted]);
    assert_eq!(effects, []);
}

#[test]
fn signed_in_stays_signed_in_while_it_is_renewed() {
    let (session, effects) = fresh([
        Event::RestoreAsked,
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
            told_of_renewal("ada"),
            Effect::Release
        ]
    );
}

#[test]
fn a_timer_that_fires_early_finds_nothing_due() {
    let events = [
        Event::RestoreAsked,
        renewed(EPOCH, 0, "ada"),
        Event::TimerFired { now: secs(839) },
    ];
    let (session, effects) = fresh(events);
    assert_eq!(effects, []);
    assert_eq!(session.wake_at(), Some(secs(840)));
}

#[test]
fn whoever_wants_a_refresh_shares_the_one_that_is_pending() {
    let (mut session, _) = fresh([Event::RestoreAsked, renewed(EPOCH, 0, "ada")]);
    let id = session.held().expect("signed in").id;
    let mut asked = 0;
    for event in [
        Event::TokenRefused { id },
        Event::TokenRefused { id },
        Event::TokenWanted,
        Event::TimerFired { now: secs(9_999) },
        Event::RestoreAsked,
    ] {
        let (next, effects) = session.step(event);
        asked += refreshes(&effects);
        session = next;
    }
    assert_eq!(asked, 1);
}

#[test]
fn a_refused_token_is_spent_and_an_older_one_does_not_matter() {
    let (session, _) = fresh([Event::RestoreAsked, renewed(EPOCH, 0, "ada")]);
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
fn a_failed_renewal_keeps_a_token_that_is_still_good() {
    let events = || {
        [
            Event::RestoreAsked,
            renewed(EPOCH, 0, "ada"),
            Event::TimerFired { now: secs(840) },
            failed(EPOCH, 841),
        ]
    };
    let (session, effects) = fresh(events());
    let view = SessionView::Reconnecting {
        user: Some(user("ada")),
    };
    assert_eq!(effects, [Effect::Publish(view), Effect::Release]);
    let held = session.held().expect("60 seconds are left").clone();
    assert!(held.is_usable(secs(899)));
    assert!(!held.is_usable(secs(900)));

    let (session, effects) = session.step(Event::TokenRefused { id: held.id });
    assert_eq!(effects, [], "the next attempt is on its way already");
    assert!(!session.held().expect("kept to be compared").is_usable(secs(842)));
}

#[test]
fn a_failed_renewal_keeps_no_token_that_was_refused_or_has_ended() {
    let (session, _) = fresh([Event::RestoreAsked, renewed(EPOCH, 0, "ada")]);
    let id = session.held().expect("signed in").id;
    let (refused, _) = session.clone().step(Event::TokenRefused { id });
    assert_eq!(refused.step(failed(EPOCH, 1)).0.held(), None);
    let (late, _) = session.step(Event::TimerFired { now: secs(9_999) });
    assert_eq!(late.step(failed(EPOCH, 9_999)).0.held(), None);
}

#[test]
fn signing_in_leads_to_signed_in_from_everywhere() {
    let restored = || vec![Event::RestoreAsked, renewed(EPOCH, 0, "ada")];
    let lost = || vec![Event::RestoreAsked, failed(EPOCH, 0)];
    for events in [vec![], restored(), lost()] {
        let (session, _) = fresh(events);
        let (session, effects) = session.step(signed_in(Departures(0), 50, "bob"));
        let news = News::SignedIn { user: "bob".into() };
        assert_eq!(
            effects,
            [
                Effect::Mark(false),
                Effect::Publish(view_of("bob", 950)),
                Effect::Tell(news),
                Effect::Release
            ]
        );
        assert_eq!(session.epoch, Epoch(1));
    }
    let gone = SessionView::Anonymous { because: None };
    let (session, _) = after(gone, [signed_in(Departures(0), 50, "bob")]);
    assert_eq!(session.view(), view_of("bob", 950));
}

#[test]
fn signing_out_leads_to_anonymous_from_everywhere_and_late_outcomes_fall() {
    let starts = [
        vec![],
        vec![Event::RestoreAsked],
        vec![Event::RestoreAsked, renewed(EPOCH, 0, "ada")],
        vec![
            Event::RestoreAsked,
            renewed(EPOCH, 0, "ada"),
            Event::TimerFired { now: secs(840) },
        ],
        vec![Event::RestoreAsked, failed(EPOCH, 0)],
    ];
    for events in starts {
        let (session, _) = fresh(events);
        let (session, effects) = session.step(Event::SignOutAsked);
        assert!(effects.contains(&Effect::Release));
        assert_eq!(session.held(), None);
        let anonymous = SessionView::Anonymous { because: None };
        for late in [
            renewed(EPOCH, 1, "ada"),
            signed_in(Departures(0), 1, "ada"),
            failed(EPOCH, 1),
            ended(EPOCH, EndedBecause::Reused),
            Event::UserChanged {
                epoch: EPOCH,
                user: user("ada"),
            },
            Event::RestoreAsked,
            Event::TokenWanted,
            Event::TimerFired { now: secs(9_999) },
        ] {
            let (after, effects) = session.clone().step(late.clone());
            assert_eq!(after.view(), anonymous, "{late:?}");
            assert_eq!(refreshes(&effects), 0, "{late:?}");
        }
    }
}

#[test]
fn a_refresh_of_the_former_session_does_not_touch_the_next_one() {
    let (session, _) = fresh([
        Event::RestoreAsked,
        renewed(EPOCH, 0, "ada"),
        Event::TimerFired { now: secs(840) },
        signed_in(Departures(0), 841, "bob"),
    ]);
    for late in [
        renewed(EPOCH, 840, "ada"),
        failed(EPOCH, 842),
        missing(EPOCH),
        Event::RenewalDropped { epoch: EPOCH },
    ] {
        let (after, effects) = session.clone().step(late);
        assert_eq!(after.view(), view_of("bob", 1741));
        assert_eq!(effects, [Effect::Release]);
        assert_eq!(
            after.wake_at(),
            Some(secs(841 + 840)),
            "and the next refresh is bob's"
        );
    }
}

#[test]
fn somebody_elses_token_begins_a_new_epoch() {
    let (session, _) = fresh([
        Event::RestoreAsked,
        renewed(EPOCH, 0, "ada"),
        Event::TimerFired { now: secs(840) },
        renewed(EPOCH, 840, "bob"),
    ]);
    assert_eq!(session.epoch, Epoch(1));
    assert_eq!(session.view(), view_of("bob", 1740));
}

#[test]
fn a_changed_profile_shows_unless_it_is_anothers() {
    let renamed = |id: &str| User {
        display_name: Some("New".into()),
        ..user(id)
    };
    let (session, _) = fresh([Event::RestoreAsked, renewed(EPOCH, 0, "ada")]);
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
fn a_network_that_is_back_hastens_a_retry_unless_the_server_named_the_moment() {
    let online = |retry_after| {
        let failed = Event::RenewalFailed {
            epoch: EPOCH,
            now: secs(0),
            jitter: 0.0,
            retry_after,
        };
        let around = Around {
            now: secs(0),
            jitter: 0.5,
            marked: false,
            deaf: false,
        };
        let wakeup = Wakeup::Online;
        let (session, _) = fresh([Event::RestoreAsked, failed, Event::Woken { wakeup, around }]);
        session.wake_at()
    };
    assert_eq!(online(None), Some(Duration::from_millis(500)));
    assert_eq!(online(Some(secs(20))), Some(secs(20)));
}
