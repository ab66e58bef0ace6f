//! Describes the events of a simulation in words. The page shows them and decides nothing.

use api_types::problem::ProblemCode;
use lab_types::live::{
    Actor, CompletedAction, HeldTokens, ReplayAttempt, SimulationAction, TokenKind, TokenState, TokenView,
};
use rotation::{RevocationReason, Session, designs::Verdict};

use super::{client::PerActor, model::Forecast};

/// What was done.
pub(super) fn action(done: &CompletedAction) -> String {
    let with = |verb: &str| match done.sent {
        Some(number) => format!("{verb} with token {number}"),
        None => format!("{verb} without a token"),
    };
    match done.action {
        None => "signs in".into(),
        Some(SimulationAction::Renew { .. }) => with("renews"),
        Some(SimulationAction::LoseAnswer {}) => format!("{}; the answer is lost", with("renews")),
        Some(SimulationAction::Steal {}) => match done.given {
            Some(number) => format!("copies token {number}"),
            None => "finds nothing to copy".into(),
        },
        Some(SimulationAction::Replay { .. }) => with("comes"),
        Some(SimulationAction::SignOut {}) => with("signs out"),
    }
}

/// The server's verdict. `again`: the token in the response had been issued before.
pub(super) fn response(done: &CompletedAction, again: bool, verdict: Option<Verdict>) -> String {
    let Some(summary) = done.answer else {
        return String::new();
    };
    let mut text = summary.status.to_string();
    if let Some(code) = summary.code {
        text = text + " " + code.as_str();
    }
    let meaning = match (done.given, summary.code) {
        (Some(number), _) if again => format!("gives token {number} again"),
        (Some(number), _) if verdict == Some(Verdict::Displace) => {
            format!("gives token {number} in place of the live one")
        }
        (Some(number), _) if verdict == Some(Verdict::Fork) => {
            format!("gives token {number} beside the live one")
        }
        (Some(number), _) => format!("gives token {number}"),
        (None, Some(ProblemCode::RefreshReused)) => "a used token came again".into(),
        (None, Some(ProblemCode::RefreshSuperseded)) => "there are newer ones; no token, and no alarm".into(),
        (None, Some(ProblemCode::RefreshMissing)) => "nothing was sent".into(),
        (None, None) if summary.status == 204 => "signed out".into(),
        (None, None) if verdict == Some(Verdict::Kill) => "treated as token theft".into(),
        (None, None) if verdict == Some(Verdict::Refuse) => "no longer valid".into(),
        (None, _) => return text,
    };
    text = text + ": " + &meaning;
    match done.used.map(|used| used.status) {
        Some(200) => text.push_str(", and its access token is accepted"),
        Some(status) => text = format!("{text}, and its access token is refused ({status})"),
        None => {}
    }
    text
}

/// The state of the session, in a sentence or two.
pub(super) fn outcome(
    row: Option<&Session>,
    tokens: &[TokenView],
    [owner, thief]: [HeldTokens; 2],
    fallout: &[ReplayAttempt],
) -> String {
    let Some(row) = row else {
        return "The session is no longer in its table.".into();
    };
    if let Some(end) = row.revocation {
        return ended(Some(end.reason), fallout);
    }
    let live = tokens
        .iter()
        .find(|token| matches!(token.state, Some(TokenState::Issued | TokenState::Active)));
    let is_live =
        |held: HeldTokens| held.refresh.is_some() && held.refresh == live.map(|token| token.generation);
    match (is_live(owner), is_live(thief)) {
        (true, true) => {
            "Both hold the live token. The one who misses the next renewal for longer than the grace period will present a \
             used token, and then the session ends for both."
        }
        (false, true) if owner.refresh.is_some() => {
            "The thief holds the live token, the owner one that was used. Once the grace is over, the owner’s next renewal ends it \
             for both."
        }
        (false, true) => "The thief holds the live token, and the owner none.",
        (true, false) if thief.refresh.is_some() => "The owner holds the live token, the thief one that was used.",
        (true, false) => "The owner holds the live token, and no one else has any.",
        (false, false) if live.is_none_or(|token| token.state != Some(TokenState::Issued)) => {
            "No one holds the live token."
        }
        (false, false) => {
            "No one holds the live token: it was lost in transit. Until it is used, its parent gets it again."
        }
    }
    .into()
}

/// The effect of an ended session.
pub(super) fn ended(reason: Option<RevocationReason>, fallout: &[ReplayAttempt]) -> String {
    let why = match reason {
        Some(reason) => format!("The session is over ({}).", reason.as_str()),
        None => "The session is over.".into(),
    };
    let refused = list(fallout, "Refused from now on", |status| status == 401);
    let accepted = list(fallout, "Accepted all the same", |status| status < 400);
    let neither = list(fallout, "Not known, for trouble of the server", |status| {
        status >= 400 && status != 401
    });
    why + &refused + &accepted + &neither
}

/// What would happen to everyone's token in a model whose session continues.
pub(super) fn forecasts(forecasts: PerActor<Option<Forecast>>) -> String {
    let sentences = forecasts.map(|(who, forecast)| {
        let who = name(who);
        let Some(Forecast { now, later }) = forecast else {
            return format!("The {who} holds no refresh token.");
        };
        if now == later {
            format!("The {who}’s token {}.", effect_of(now))
        } else {
            format!(
                "The {who}’s token {}, and once the window is over it {}.",
                effect_of(now),
                effect_of(later)
            )
        }
    });
    sentences.join(" ")
}

fn effect_of(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Rotate => "is good for a new one",
        Verdict::Displace => "gets a new one in place of the live one",
        Verdict::Fork => "gets another one beside the live one",
        Verdict::Again(_) => "gets the live one again",
        Verdict::Later => "gets nothing, and has no effect on anyone",
        Verdict::Refuse => "is refused",
        Verdict::Kill => "ends the session for everybody",
    }
}

fn name(actor: Actor) -> &'static str {
    match actor {
        Actor::Owner => "owner",
        Actor::Thief => "thief",
    }
}

fn list(fallout: &[ReplayAttempt], head: &str, which: impl Fn(u16) -> bool) -> String {
    let named: Vec<_> = fallout
        .iter()
        .filter(|tried| which(tried.answer.status))
        .map(|tried| {
            let who = name(tried.who);
            let kind = match tried.kind {
                TokenKind::Access => "access",
                TokenKind::Refresh => "refresh",
            };
            format!("the {who}’s {kind} token {}", tried.generation)
        })
        .collect();
    if named.is_empty() {
        String::new()
    } else {
        format!(" {head}: {}.", named.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use lab_types::live::ResponseSummary;

    use super::*;

    fn done(action: Option<SimulationAction>, sent: Option<u32>, given: Option<u32>) -> CompletedAction {
        CompletedAction {
            at_ms: 0,
            who: Actor::Owner,
            action,
            sent,
            given,
            answer: None,
            used: None,
            what: String::new(),
            said: String::new(),
        }
    }

    fn answer(status: u16, code: Option<ProblemCode>) -> ResponseSummary {
        ResponseSummary {
            status,
            code,
            reason: None,
        }
    }

    #[test]
    fn actions_are_described() {
        let renew = Some(SimulationAction::Renew { who: Actor::Owner });
        let actions = [
            done(None, None, Some(1)),
            done(renew, Some(1), Some(2)),
            done(renew, None, None),
            done(Some(SimulationAction::LoseAnswer {}), Some(2), Some(3)),
            done(Some(SimulationAction::Steal {}), None, Some(2)),
            done(Some(SimulationAction::Steal {}), None, None),
            done(Some(SimulationAction::Replay { generation: 1 }), Some(1), None),
            done(Some(SimulationAction::SignOut {}), Some(3), None),
        ];
        assert_eq!(
            actions.map(|done| action(&done)),
            [
                "signs in",
                "renews with token 1",
                "renews without a token",
                "renews with token 2; the answer is lost",
                "copies token 2",
                "finds nothing to copy",
                "comes with token 1",
                "signs out with token 3",
            ]
        );
    }

    #[test]
    fn responses_are_described_with_status_and_code() {
        let renew = Some(SimulationAction::Renew { who: Actor::Owner });
        let given = CompletedAction {
            answer: Some(answer(200, None)),
            used: Some(answer(200, None)),
            ..done(renew, Some(1), Some(2))
        };
        assert_eq!(
            response(&given, false, None),
            "200: gives token 2, and its access token is accepted"
        );
        let lost = CompletedAction { used: None, ..given };
        assert_eq!(response(&lost, true, None), "200: gives token 2 again");
        let refused = |status, code| CompletedAction {
            answer: Some(answer(status, Some(code))),
            ..done(renew, Some(1), None)
        };
        assert_eq!(
            response(&refused(401, ProblemCode::RefreshReused), false, None),
            "401 refresh_reused: a used token came again"
        );
        // A problem without a text here is shown as it was received.
        assert_eq!(
            response(&refused(503, ProblemCode::Unavailable), false, None),
            "503 unavailable"
        );
        assert_eq!(
            response(
                &done(Some(SimulationAction::Steal {}), None, Some(1)),
                false,
                None
            ),
            ""
        );
    }

    #[test]
    fn attempts_are_listed_by_their_status() {
        let tried = |who, kind, status| ReplayAttempt {
            who,
            kind,
            generation: 2,
            answer: answer(status, None),
        };
        let fallout = [
            tried(Actor::Owner, TokenKind::Refresh, 401),
            tried(Actor::Thief, TokenKind::Access, 200),
        ];
        assert_eq!(
            list(&fallout, "Refused", |status| status >= 400),
            " Refused: the owner’s refresh token 2."
        );
        assert_eq!(
            list(&fallout, "Accepted", |status| status < 400),
            " Accepted: the thief’s access token 2."
        );
        assert_eq!(list(&[], "Refused", |_| true), "");
    }
}
