//! Whether a stolen copy of a token works.

use lab_types::{Evidence, Participant, RecordedExchange, Strategy};

use crate::{
    targets::VictimEndpoints,
    verdict::judgement::{Judgement, Unmeasured, exposed, safe, was_executed},
};

pub(super) fn access_after_sign_out(endpoints: &VictimEndpoints, evidence: &[Evidence]) -> Judgement {
    let mut timeline = Timeline { rest: evidence };
    timeline.require(
        Participant::Page,
        &endpoints.me,
        "the token had worked for its owner",
    )?;
    timeline.require(Participant::Page, &endpoints.logout, "the owner had signed out")?;
    if timeline.copy_works(&endpoints.me)? {
        exposed("The server checks only signature and expiry: the copy works until it expires.")
    } else {
        safe("The session has ended, so the copy was refused.")
    }
}

pub(super) fn refresh_after_rotation(
    strategy: Strategy,
    endpoints: &VictimEndpoints,
    evidence: &[Evidence],
) -> Judgement {
    let path = path_of_copies(strategy, endpoints);
    let mut timeline = Timeline { rest: evidence };
    timeline.require(Participant::Page, path, "its owner had used it")?;
    judge(strategy, timeline.copy_works(path)?)
}

pub(super) fn refresh_before_owner(
    strategy: Strategy,
    endpoints: &VictimEndpoints,
    evidence: &[Evidence],
) -> Judgement {
    let path = path_of_copies(strategy, endpoints);
    let mut timeline = Timeline { rest: evidence };
    timeline.require(Participant::Attacker, path, "the thief had used it first")?;
    // Served or refused: what matters is that the owner returned.
    timeline
        .skip_to(Participant::Page, path, |_| true)
        .ok_or("The owner has not returned yet.")?;
    judge(strategy, timeline.copy_works(path)?)
}

/// A session id is used like an access token, and is never rotated.
fn path_of_copies(strategy: Strategy, endpoints: &VictimEndpoints) -> &str {
    match strategy {
        Strategy::SessionCookie => &endpoints.me,
        _ => &endpoints.refresh,
    }
}

fn judge(strategy: Strategy, copy_works: bool) -> Judgement {
    match (copy_works, strategy) {
        (false, _) => safe("The copy was refused."),
        (true, Strategy::SessionCookie) => {
            exposed("A session id is not rotated: a copy is as good as the original.")
        }
        (true, _) => {
            exposed("The thief holds the newest token, and the server ignored the reuse of the old one.")
        }
    }
}

/// The evidence from some point on, to check what must have happened before something else.
struct Timeline<'a> {
    rest: &'a [Evidence],
}

impl<'a> Timeline<'a> {
    /// Skips to the evidence after this participant's next exchange that the endpoint executed.
    fn require(&mut self, who: Participant, path: &str, what: &str) -> Result<(), Unmeasured> {
        let found = self.skip_to(who, path, |exchange| was_executed(exchange) == Ok(true));
        found.map(drop).ok_or_else(|| {
            if self.rest.is_empty() {
                Unmeasured::NotRun
            } else {
                format!("There is no evidence that {what}.").into()
            }
        })
    }

    /// Whether the attacker's last request from this point on was executed.
    fn copy_works(&mut self, path: &str) -> Result<bool, Unmeasured> {
        let mut last = Err("The copy has not been tried yet.".into());
        while let Some(exchange) = self.skip_to(Participant::Attacker, path, |_| true) {
            last = was_executed(exchange);
        }
        last
    }

    /// Skips to the evidence after this participant's next exchange that matches.
    fn skip_to(
        &mut self,
        who: Participant,
        path: &str,
        matches: impl Fn(&RecordedExchange) -> bool,
    ) -> Option<&'a RecordedExchange> {
        let found = self.rest.iter().enumerate().find_map(|(at, one)| match one {
            Evidence::Exchange(exchange)
                if exchange.who == who && exchange.path == path && matches(exchange) =>
            {
                Some((at, exchange))
            }
            _ => None,
        });
        let (at, exchange) = found?;
        self.rest = &self.rest[at + 1..];
        Some(exchange)
    }
}

#[cfg(test)]
mod tests {
    use api_types::paths::{LOGOUT, ME, REFRESH};
    use lab_types::CellVerdict;

    use super::*;
    use crate::verdict::fixtures::{EXPOSED, SAFE, received, verdict_of};

    type Judge = fn(Strategy, &VictimEndpoints, &[Evidence]) -> Judgement;

    fn verdict(judge: Judge, evidence: &[Evidence]) -> Option<CellVerdict> {
        let endpoints = VictimEndpoints::of(Strategy::Keyturn);
        verdict_of(judge(Strategy::Keyturn, &endpoints, evidence))
    }

    fn thief(path: &str, status: u16) -> Evidence {
        received(Participant::Attacker, path, status)
    }

    fn owner(path: &str, status: u16) -> Evidence {
        received(Participant::Page, path, status)
    }

    #[test]
    fn a_copy_used_first_is_judged_after_its_owner_returned() {
        let case = |evidence: &[Evidence]| verdict(refresh_before_owner, evidence);
        let thief = |status| thief(REFRESH, status);
        let owner = owner(REFRESH, 401);
        assert_eq!(case(&[thief(200)]), None, "the owner is not back");
        assert_eq!(case(&[thief(200), owner.clone()]), None, "not tried again");
        assert_eq!(
            case(&[thief(401), owner.clone(), thief(401)]),
            None,
            "was never used first"
        );
        assert_eq!(case(&[thief(200), owner.clone(), thief(401)]), SAFE);
        assert_eq!(case(&[thief(200), owner, thief(200)]), EXPOSED);
    }

    #[test]
    fn a_copy_used_after_rotation_is_judged_only_if_there_was_one() {
        let case = |evidence: &[Evidence]| verdict(refresh_after_rotation, evidence);
        let thief = thief(REFRESH, 401);
        assert_eq!(case(std::slice::from_ref(&thief)), None);
        assert_eq!(case(&[owner(REFRESH, 503), thief.clone()]), None);
        assert_eq!(case(&[owner(REFRESH, 200), thief]), SAFE);
    }

    #[test]
    fn an_access_token_is_judged_after_a_sign_out_that_happened() {
        let case = |evidence: &[Evidence]| {
            verdict(
                |_, endpoints, evidence| access_after_sign_out(endpoints, evidence),
                evidence,
            )
        };
        let (used, signed_out) = (owner(ME, 200), owner(LOGOUT, 204));
        assert_eq!(case(&[used.clone(), thief(ME, 200)]), None, "still signed in");
        assert_eq!(case(&[used.clone(), owner(LOGOUT, 503), thief(ME, 200)]), None);
        assert_eq!(case(&[used.clone(), signed_out.clone(), thief(ME, 503)]), None);
        assert_eq!(case(&[used.clone(), signed_out.clone(), thief(ME, 200)]), EXPOSED);
        assert_eq!(case(&[used, signed_out, thief(ME, 401)]), SAFE);
    }
}
