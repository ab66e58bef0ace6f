//! The storage experiment: places for tokens, against events that affect a session.
//!
//! # Layout
//! - [`survival`] reloads, tabs and restarts; [`theft`] scripts in the page; [`csrf`] forms of other sites; [`copies`]
//!   stolen copies of tokens

mod copies;
mod csrf;
mod survival;
mod theft;

use lab_types::{Evidence, Strategy, Threat};

use super::judgement::Judgement;
use crate::targets::VictimEndpoints;

/// The hypothesis of an attack.
pub(super) fn hypothesis(threat: Threat) -> &'static str {
    match threat {
        Threat::Reload => "After a reload the visitor is still signed in.",
        Threat::NewTab => {
            "In another tab of the same browser, with the first one open, the visitor is signed in too."
        }
        Threat::Restart => "After the browser was closed and started again the visitor is still signed in.",
        Threat::SingleExecutionTheft => {
            "A script that runs once in the page finds a token that works for the attacker elsewhere."
        }
        Threat::PersistentTheft => {
            "A script that stays in the page, and listens to its requests, gets a token that works for the attacker elsewhere."
        }
        Threat::NewTokens => {
            "A script in the page that does not listen to it can have tokens issued that work for the attacker elsewhere."
        }
        Threat::Proxying => "A script in the page can act as the visitor without holding any token.",
        Threat::CsrfChange => "A form of another site changes state as the visitor.",
        Threat::CsrfLogin => "A form of another site signs the visitor in as the attacker.",
        Threat::CsrfLogout => "A form of another site signs the visitor out.",
        Threat::AccessAfterSignOut => "A copy of the access token works after its owner has signed out.",
        Threat::RefreshAfterRotation => "A copy of the refresh token works after its owner has rotated it.",
        Threat::RefreshBeforeOwner => {
            "An attacker who uses a stolen refresh token first keeps access after the owner returns."
        }
    }
}

/// The verdict on a cell's evidence.
pub(super) fn judge(strategy: Strategy, threat: Threat, evidence: &[Evidence]) -> Judgement {
    let endpoints = VictimEndpoints::of(strategy);
    match threat {
        Threat::Reload | Threat::NewTab | Threat::Restart => survival::judge(threat, evidence),
        Threat::SingleExecutionTheft | Threat::PersistentTheft | Threat::NewTokens => {
            theft::tokens(&endpoints, evidence)
        }
        Threat::Proxying => theft::proxying(&endpoints, evidence),
        Threat::CsrfChange => csrf::request(strategy, &endpoints.transfer, evidence),
        Threat::CsrfLogout => csrf::request(strategy, &endpoints.logout, evidence),
        Threat::CsrfLogin => csrf::sign_in(strategy, &endpoints.login, evidence),
        Threat::AccessAfterSignOut => copies::access_after_sign_out(&endpoints, evidence),
        Threat::RefreshAfterRotation => copies::refresh_after_rotation(strategy, &endpoints, evidence),
        Threat::RefreshBeforeOwner => copies::refresh_before_owner(strategy, &endpoints, evidence),
    }
}

#[cfg(test)]
mod tests {
    use lab_types::{CellId, CellVerdict, NotedEvent, Participant};

    use super::*;
    use crate::verdict;

    #[test]
    fn without_evidence_nothing_is_measured() {
        for threat in Threat::ALL {
            for strategy in Strategy::ALL {
                assert!(judge(*strategy, *threat, &[]).is_err());
            }
        }
    }

    #[test]
    fn a_failed_step_says_why() {
        let failed = [Evidence::Note {
            at_ms: 0,
            who: Participant::Page,
            text: "The step failed: no answer".into(),
            event: Some(NotedEvent::StepFailed),
        }];
        let cell = CellId::Storage {
            strategy: Strategy::Memory,
            threat: Threat::Proxying,
        };
        let (verdict, because) = verdict::judge(cell, &failed);
        assert_eq!(verdict, CellVerdict::NotMeasured);
        assert_eq!(because, "The step failed: no answer");
    }
}
