//! The race experiment: what coordinates refreshes, against many at the same time and a lost response.

use std::collections::{BTreeMap, BTreeSet};

use lab_types::{Crowd, Evidence, Load, Remedy, Tally, Verdict, Who};

use super::{NOT_RUN, Outcome, obeyed};
use crate::{
    race,
    recorder::{cookie, cookie_set},
};

/// The hypothesis of an experiment.
pub(super) fn hypothesis(load: Load, crowd: Crowd) -> String {
    let (tabs, requests) = (crowd.tabs(), crowd.requests());
    match load {
        Load::OneTab => {
            format!("One page makes {requests} requests at the same time, its access token has expired, and the visitor stays signed in, once.")
        }
        Load::ManyTabs => {
            format!(
                "Each of {tabs} tabs makes {requests} requests at the same time, their access tokens have expired, and the visitor stays \
                 signed in, once."
            )
        }
        Load::LostAnswer => {
            "The server has rotated the token and its response is lost; the visitor, who has only the old token, stays signed in.".into()
        }
    }
}

/// The verdict on a cell's evidence. A session survives something only if that has happened.
pub(super) fn judge(remedy: Remedy, load: Load, evidence: &[Evidence]) -> Outcome {
    let afterwards = evidence.iter().rev().find_map(|one| match one {
        Evidence::Seen { when, user, .. } if when == "afterwards" => Some(user.is_some()),
        _ => None,
    });
    let signed_in = afterwards.ok_or(NOT_RUN)?;
    let refreshes = Refreshes::of(remedy, evidence)?;
    if refreshes.rotated == 0 {
        return Err("No refresh succeeded.".into());
    }
    if load == Load::LostAnswer && !an_answer_was_lost(evidence) {
        return Err("No response was lost.".into());
    }
    let counted = refreshes.in_words();
    if !signed_in {
        return Ok((
            Verdict::Lost,
            format!("Afterwards the visitor was signed out. {counted}"),
        ));
    }
    if refreshes.forks > 1 {
        let forks = refreshes.forks;
        return Ok((
            Verdict::Exposed,
            format!("One refresh token got {forks} different successors. {counted}"),
        ));
    }
    let told = evidence
        .iter()
        .filter(|one| matches!(one, Evidence::Seen { user: None, .. }))
        .count();
    if told > 0 {
        return Ok((
            Verdict::Lost,
            format!("Pages that asked the visitor to sign in again: {told}. {counted}"),
        ));
    }
    if may_meet(remedy, load) && !refreshes.met {
        return Err("The refreshes did not overlap. Run it again.".into());
    }
    Ok((
        Verdict::Survives,
        format!("Every page was served, and there is one session with one valid token. {counted}"),
    ))
}

/// Whether nothing in the page prevents two refreshes from presenting the same token.
fn may_meet(remedy: Remedy, load: Load) -> bool {
    match remedy {
        Remedy::None | Remedy::CompareAndSet | Remedy::Grace | Remedy::Server => load != Load::LostAnswer,
        Remedy::SingleFlight => load == Load::ManyTabs,
        Remedy::Lock | Remedy::Together => false,
    }
}

fn an_answer_was_lost(evidence: &[Evidence]) -> bool {
    evidence
        .iter()
        .any(|one| matches!(one, Evidence::Note { who: Who::Lab, text, .. } if text == race::LOST))
}

/// The results of the refreshes, counted by kind.
pub(super) fn tally(remedy: Remedy, evidence: &[Evidence]) -> Vec<Tally> {
    let Ok(refreshes) = Refreshes::of(remedy, evidence) else {
        return Vec::new();
    };
    refreshes
        .kinds()
        .into_iter()
        .map(|(outcome, count)| Tally {
            outcome: outcome.into(),
            count,
        })
        .collect()
}

/// The refreshes of a cell, counted by what the server returned.
struct Refreshes {
    rotated: u32,
    repeated: u32,
    refused: u32,
    /// The largest number of different successors that one token got.
    forks: usize,
    /// Whether a token was presented twice.
    met: bool,
}

impl Refreshes {
    fn of(remedy: Remedy, evidence: &[Evidence]) -> Result<Self, String> {
        let (door, name) = (race::endpoints(remedy).refresh, race::cookie_name(remedy));
        let mut successors: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let (mut rotated, mut repeated, mut refused) = (0, 0, 0);
        let (mut tokens, mut met) = (BTreeSet::new(), false);
        for exchange in evidence.iter().filter_map(|one| match one {
            Evidence::Exchange(exchange) if exchange.who == Who::Page && exchange.path == door => {
                Some(exchange)
            }
            _ => None,
        }) {
            let presented = cookie(exchange, name);
            met |= presented.is_some_and(|token| !tokens.insert(token));
            match (obeyed(exchange)?, presented, cookie_set(exchange, name)) {
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
            met,
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
    use lab_types::Exchange;

    use super::*;

    fn refresh(old: &str, new: Option<&str>) -> Evidence {
        refresh_at(Remedy::Grace, old, new)
    }

    fn refresh_at(remedy: Remedy, old: &str, new: Option<&str>) -> Evidence {
        let name = race::cookie_name(remedy);
        Evidence::Exchange(Exchange {
            at_ms: 0,
            who: Who::Page,
            method: "POST".into(),
            path: race::endpoints(remedy).refresh,
            headers: vec![("cookie".into(), format!("lab_none=x; {name}={old}"))],
            body: String::new(),
            status: if new.is_some() { 200 } else { 401 },
            answer_headers: new
                .map(|new| ("set-cookie".into(), format!("{name}={new}; Path=/")))
                .into_iter()
                .collect(),
            answer: String::new(),
        })
    }

    fn seen(when: &str, user: Option<&str>) -> Evidence {
        Evidence::Seen {
            at_ms: 0,
            who: Who::Page,
            when: when.into(),
            user: user.map(str::to_owned),
        }
    }

    fn verdict(evidence: &[Evidence]) -> Option<Verdict> {
        judge(Remedy::Grace, Load::ManyTabs, evidence)
            .ok()
            .map(|(verdict, _)| verdict)
    }

    #[test]
    fn refreshes_that_missed_each_other_prove_nothing() {
        let one_after_the_other = |remedy| {
            let evidence = [
                refresh_at(remedy, "a", Some("b")),
                refresh_at(remedy, "b", Some("c")),
                seen("afterwards", Some("ada")),
            ];
            judge(remedy, Load::ManyTabs, &evidence)
                .ok()
                .map(|(verdict, _)| verdict)
        };
        assert_eq!(one_after_the_other(Remedy::Grace), None);
        assert_eq!(one_after_the_other(Remedy::Server), None);
        // A lock exists for exactly this case.
        assert_eq!(one_after_the_other(Remedy::Lock), Some(Verdict::Survives));
    }

    #[test]
    fn an_answer_has_to_be_lost_to_be_survived() {
        let lost = Evidence::Note {
            at_ms: 0,
            who: Who::Lab,
            text: race::LOST.into(),
        };
        let mut evidence = vec![
            refresh("a", Some("b")),
            refresh("a", Some("b")),
            seen("afterwards", Some("ada")),
        ];
        assert!(judge(Remedy::Grace, Load::LostAnswer, &evidence).is_err());
        evidence.insert(1, lost);
        let (verdict, _) = judge(Remedy::Grace, Load::LostAnswer, &evidence).expect("a verdict");
        assert_eq!(verdict, Verdict::Survives);
    }

    #[test]
    fn one_token_for_everybody_survives() {
        let mut evidence = vec![
            refresh("a", Some("b")),
            refresh("a", Some("b")),
            refresh("b", Some("c")),
            seen("tab 1", Some("ada")),
        ];
        assert_eq!(verdict(&evidence), None, "no page has checked yet");
        evidence.push(seen("afterwards", Some("ada")));
        assert_eq!(verdict(&evidence), Some(Verdict::Survives));
        let counts: Vec<u32> = tally(Remedy::Grace, &evidence)
            .iter()
            .map(|one| one.count)
            .collect();
        assert_eq!(counts, [2, 1, 0]);
    }

    #[test]
    fn two_successors_are_a_fork_even_if_everybody_is_happy() {
        let evidence = [
            refresh("a", Some("b")),
            refresh("a", Some("c")),
            seen("afterwards", Some("ada")),
        ];
        assert_eq!(verdict(&evidence), Some(Verdict::Exposed));
    }

    #[test]
    fn a_page_that_was_told_to_sign_in_again_has_lost_its_session() {
        let evidence = [
            refresh("a", Some("b")),
            refresh("a", None),
            seen("tab 1", None),
            seen("afterwards", Some("ada")),
        ];
        assert_eq!(verdict(&evidence), Some(Verdict::Lost));
        let ended = [
            refresh("a", Some("b")),
            refresh("a", Some("c")),
            seen("afterwards", None),
        ];
        assert_eq!(verdict(&ended), Some(Verdict::Lost));
    }

    #[test]
    fn without_a_refresh_nothing_is_measured() {
        assert_eq!(verdict(&[seen("afterwards", Some("ada"))]), None);
        assert_eq!(verdict(&[refresh("a", None), seen("afterwards", None)]), None);
    }
}
