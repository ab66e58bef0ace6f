//! The race experiment: what coordinates refreshes, against many at the same time and a lost response.

use std::collections::{BTreeMap, BTreeSet};

use lab_types::{Concurrency, Evidence, NotedEvent, OutcomeCount, Participant, RaceDefence, RaceScenario};

use super::judgement::{Judgement, Unmeasured, exposed, lost, survives, was_executed};
use crate::{
    evidence::{account_seen, cookie, cookie_set, exchanges},
    targets::race_refresh,
};

/// The hypothesis of an experiment.
pub(super) fn hypothesis(scenario: RaceScenario, concurrency: Concurrency) -> String {
    let (tabs, requests) = (concurrency.tabs(), concurrency.requests());
    match scenario {
        RaceScenario::OneTab => {
            format!("One page makes {requests} requests at the same time, its access token has expired, and the visitor stays signed in, once.")
        }
        RaceScenario::ManyTabs => {
            format!(
                "Each of {tabs} tabs makes {requests} requests at the same time, their access tokens have expired, and the visitor stays \
                 signed in, once."
            )
        }
        RaceScenario::LostAnswer => {
            "The server has rotated the token and its response is lost; the visitor, who has only the old token, stays signed in.".into()
        }
    }
}

/// The verdict on a cell's evidence. A session survives something only if that has happened.
pub(super) fn judge(defence: RaceDefence, scenario: RaceScenario, evidence: &[Evidence]) -> Judgement {
    let afterwards = account_seen(evidence, "afterwards").ok_or(Unmeasured::NotRun)?;
    let refreshes = RefreshCounts::of(defence, evidence)?;
    if refreshes.rotated == 0 {
        return Err("No refresh succeeded.".into());
    }
    if scenario == RaceScenario::LostAnswer && !a_response_was_dropped(evidence) {
        return Err("No response was lost.".into());
    }
    let counted = refreshes.in_words();
    if afterwards.is_none() {
        return lost(format!("Afterwards the visitor was signed out. {counted}"));
    }
    if refreshes.forks > 1 {
        let forks = refreshes.forks;
        return exposed(format!(
            "One refresh token got {forks} different successors. {counted}"
        ));
    }
    let signed_out = evidence
        .iter()
        .filter(|one| matches!(one, Evidence::AccountSeen { user: None, .. }))
        .count();
    if signed_out > 0 {
        return lost(format!(
            "Pages that asked the visitor to sign in again: {signed_out}. {counted}"
        ));
    }
    if may_overlap(defence, scenario) && !refreshes.overlapped {
        return Err("The refreshes did not overlap. Run it again.".into());
    }
    survives(format!(
        "Every page was served, and there is one session with one valid token. {counted}"
    ))
}

/// Whether nothing in the page prevents two refreshes from presenting the same token.
fn may_overlap(defence: RaceDefence, scenario: RaceScenario) -> bool {
    match defence {
        RaceDefence::None | RaceDefence::CompareAndSet | RaceDefence::Grace | RaceDefence::Server => {
            scenario != RaceScenario::LostAnswer
        }
        RaceDefence::SingleFlight => scenario == RaceScenario::ManyTabs,
        RaceDefence::Lock | RaceDefence::Together => false,
    }
}

fn a_response_was_dropped(evidence: &[Evidence]) -> bool {
    evidence.iter().any(|one| {
        matches!(
            one,
            Evidence::Note {
                who: Participant::Lab,
                event: Some(NotedEvent::ResponseDropped),
                ..
            }
        )
    })
}

/// The results of the refreshes, counted by kind.
pub(super) fn tally(defence: RaceDefence, evidence: &[Evidence]) -> Vec<OutcomeCount> {
    let Ok(refreshes) = RefreshCounts::of(defence, evidence) else {
        return Vec::new();
    };
    refreshes
        .kinds()
        .into_iter()
        .map(|(outcome, count)| OutcomeCount {
            outcome: outcome.into(),
            count,
        })
        .collect()
}

/// The refreshes of a cell, counted by what the server returned.
struct RefreshCounts {
    rotated: u32,
    repeated: u32,
    refused: u32,
    /// The largest number of different successors that one token got.
    forks: usize,
    /// Whether a token was presented twice.
    overlapped: bool,
}

impl RefreshCounts {
    fn of(defence: RaceDefence, evidence: &[Evidence]) -> Result<Self, Unmeasured> {
        let (path, name) = race_refresh(defence);
        let mut successors: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let (mut rotated, mut repeated, mut refused) = (0, 0, 0);
        let (mut tokens, mut overlapped) = (BTreeSet::new(), false);
        for exchange in exchanges(evidence, Participant::Page, &path) {
            let presented = cookie(exchange, name);
            overlapped |= presented.is_some_and(|token| !tokens.insert(token));
            match (was_executed(exchange)?, presented, cookie_set(exchange, name)) {
                (true, Some(old), Some(new)) => {
                    if successors.entry(old).or_default().insert(new) {
                        rotated += 1;
                    } else {
                        repeated += 1;
                    }
                }
                (true, ..) => return Err("A refresh response contained no token.".into()),
                (false, ..) => refused += 1,
            }
        }
        Ok(Self {
            rotated,
            repeated,
            refused,
            forks: successors.values().map(BTreeSet::len).max().unwrap_or(0),
            overlapped,
        })
    }

    fn kinds(&self) -> [(&'static str, u32); 3] {
        [
            ("a new token", self.rotated),
            ("the same token again", self.repeated),
            ("refused", self.refused),
        ]
    }

    fn in_words(&self) -> String {
        let all = self.rotated + self.repeated + self.refused;
        let kinds = self
            .kinds()
            .map(|(outcome, count)| format!("{outcome} {count}"))
            .join(", ");
        format!("Refreshes: {all} ({kinds}).")
    }
}

#[cfg(test)]
mod tests {
    use lab_types::CellVerdict;

    use super::*;
    use crate::verdict::fixtures::{EXPOSED, LOST, SURVIVES, account, verdict_of, with_headers};

    fn refresh(old: &str, new: Option<&str>) -> Evidence {
        refresh_at(RaceDefence::Grace, old, new)
    }

    fn refresh_at(defence: RaceDefence, old: &str, new: Option<&str>) -> Evidence {
        let (path, name) = race_refresh(defence);
        let cookie = format!("lab_none=x; {name}={old}");
        let status = if new.is_some() { 200 } else { 401 };
        let mut exchange = with_headers(&path, status, &[("cookie", &cookie)]);
        if let Some(new) = new {
            let cookie = format!("{name}={new}; Path=/");
            exchange.answer_headers.push(("set-cookie".into(), cookie));
        }
        Evidence::Exchange(exchange)
    }

    fn verdict(evidence: &[Evidence]) -> Option<CellVerdict> {
        verdict_of(judge(RaceDefence::Grace, RaceScenario::ManyTabs, evidence))
    }

    #[test]
    fn refreshes_that_do_not_overlap_prove_nothing() {
        let one_after_the_other = |defence| {
            let evidence = [
                refresh_at(defence, "a", Some("b")),
                refresh_at(defence, "b", Some("c")),
                account("afterwards", Some("ada")),
            ];
            verdict_of(judge(defence, RaceScenario::ManyTabs, &evidence))
        };
        assert_eq!(one_after_the_other(RaceDefence::Grace), None);
        assert_eq!(one_after_the_other(RaceDefence::Server), None);
        // A lock exists for exactly this case.
        assert_eq!(one_after_the_other(RaceDefence::Lock), SURVIVES);
    }

    #[test]
    fn a_response_must_be_lost_to_be_survived() {
        let lost = Evidence::Note {
            at_ms: 0,
            who: Participant::Lab,
            text: String::new(),
            event: Some(NotedEvent::ResponseDropped),
        };
        let mut evidence = vec![
            refresh("a", Some("b")),
            refresh("a", Some("b")),
            account("afterwards", Some("ada")),
        ];
        assert!(judge(RaceDefence::Grace, RaceScenario::LostAnswer, &evidence).is_err());
        evidence.insert(1, lost);
        let (verdict, _) = judge(RaceDefence::Grace, RaceScenario::LostAnswer, &evidence).expect("a verdict");
        assert_eq!(verdict, CellVerdict::Survives);
    }

    #[test]
    fn one_token_for_all_tabs_survives() {
        let mut evidence = vec![
            refresh("a", Some("b")),
            refresh("a", Some("b")),
            refresh("b", Some("c")),
            account("tab 1", Some("ada")),
        ];
        assert_eq!(verdict(&evidence), None, "no page has checked yet");
        evidence.push(account("afterwards", Some("ada")));
        assert_eq!(verdict(&evidence), SURVIVES);
        let counts: Vec<u32> = tally(RaceDefence::Grace, &evidence)
            .iter()
            .map(|one| one.count)
            .collect();
        assert_eq!(counts, [2, 1, 0]);
    }

    #[test]
    fn two_successors_are_a_fork() {
        let evidence = [
            refresh("a", Some("b")),
            refresh("a", Some("c")),
            account("afterwards", Some("ada")),
        ];
        assert_eq!(verdict(&evidence), EXPOSED);
    }

    #[test]
    fn a_page_that_must_sign_in_again_has_lost_its_session() {
        let evidence = [
            refresh("a", Some("b")),
            refresh("a", None),
            account("tab 1", None),
            account("afterwards", Some("ada")),
        ];
        assert_eq!(verdict(&evidence), LOST);
        let ended = [
            refresh("a", Some("b")),
            refresh("a", Some("c")),
            account("afterwards", None),
        ];
        assert_eq!(verdict(&ended), LOST);
    }

    #[test]
    fn without_a_refresh_nothing_is_measured() {
        assert_eq!(verdict(&[account("afterwards", Some("ada"))]), None);
        assert_eq!(verdict(&[refresh("a", None), account("afterwards", None)]), None);
    }
}
