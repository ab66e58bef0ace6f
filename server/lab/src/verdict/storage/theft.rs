//! Whether a script in the page steals tokens that work elsewhere, or acts through the page.

use lab_types::{Evidence, Participant};

use crate::{
    evidence::exchanges,
    targets::VictimEndpoints,
    verdict::judgement::{Judgement, Unmeasured, exposed, safe, was_executed},
};

pub(super) fn tokens(endpoints: &VictimEndpoints, evidence: &[Evidence]) -> Judgement {
    let stolen = stolen_values(evidence)?;
    let executed = |path: &str| {
        exchanges(evidence, Participant::Attacker, path)
            .map(was_executed)
            .collect::<Result<Vec<_>, _>>()
    };
    if executed(&endpoints.me)?.contains(&true) {
        return exposed("The attacker’s server used the stolen token to read the visitor’s profile.");
    }
    all_were_tried(evidence)?;
    executed(&endpoints.refresh)?;
    safe(if stolen == 0 {
        "The script ran but found no token."
    } else {
        "No stolen token was accepted from the attacker’s server."
    })
}

pub(super) fn proxying(endpoints: &VictimEndpoints, evidence: &[Evidence]) -> Judgement {
    stolen_values(evidence)?;
    let sent = exchanges(evidence, Participant::Page, &endpoints.transfer).next_back();
    if was_executed(sent.ok_or("The page’s own button sent nothing.")?)? {
        exposed("The script clicked the page’s own button, and the server executed the request.")
    } else {
        safe("The script clicked the page’s own button, and the server refused the request.")
    }
}

/// The number of values that the attack's script sent, if it ran.
fn stolen_values(evidence: &[Evidence]) -> Result<usize, Unmeasured> {
    let stolen = evidence.iter().rev().find_map(|one| match one {
        Evidence::Loot { found, .. } => Some(found.len()),
        _ => None,
    });
    stolen.ok_or(Unmeasured::NotRun)
}

/// Checks that the attacker's server has tried all of them, and got responses.
fn all_were_tried(evidence: &[Evidence]) -> Result<(), Unmeasured> {
    let unanswered = evidence.iter().rev().find_map(|one| match one {
        Evidence::LootTried { unanswered, .. } => Some(*unanswered),
        _ => None,
    });
    match unanswered {
        Some(0) => Ok(()),
        Some(_) => Err("The attacker’s server got no answer to some of its requests.".into()),
        None => Err("The attacker’s server has not tried the loot yet.".into()),
    }
}

#[cfg(test)]
mod tests {
    use lab_types::{CellVerdict, Strategy};

    use super::*;
    use crate::verdict::fixtures::{EXPOSED, SAFE, loot, received, verdict_of};

    const ME: &str = "/weak/local-storage/me";

    fn verdict(evidence: &[Evidence]) -> Option<CellVerdict> {
        let endpoints = VictimEndpoints::of(Strategy::LocalStorage);
        verdict_of(tokens(&endpoints, evidence))
    }

    fn tried(unanswered: u32) -> Evidence {
        Evidence::LootTried {
            at_ms: 0,
            requests: 1,
            unanswered,
        }
    }

    #[test]
    fn a_stolen_token_counts_only_if_it_worked_for_the_attacker() {
        let (opened, refused) = (
            received(Participant::Attacker, ME, 200),
            received(Participant::Attacker, ME, 401),
        );
        assert_eq!(verdict(&[loot(&[]), tried(0)]), SAFE);
        assert_eq!(verdict(&[loot(&["a.b.c"]), refused, tried(0)]), SAFE);
        assert_eq!(verdict(&[loot(&["a.b.c"]), opened]), EXPOSED);
        let victim = received(Participant::Page, ME, 200);
        assert_eq!(verdict(&[loot(&["a.b.c"]), victim, tried(0)]), SAFE);
    }

    #[test]
    fn unfinished_attempts_are_not_safe() {
        let refused = received(Participant::Attacker, ME, 401);
        assert_eq!(verdict(&[loot(&["a.b.c"]), refused.clone()]), None, "still at it");
        assert_eq!(
            verdict(&[loot(&["a.b.c"]), refused, tried(1)]),
            None,
            "no response"
        );
        let error = received(Participant::Attacker, ME, 503);
        assert_eq!(
            verdict(&[loot(&["a.b.c"]), error, tried(0)]),
            None,
            "the server had an error"
        );
    }
}
