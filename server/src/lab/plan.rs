//! The steps of a run, in their order.

use api_types::lab::{Strategy, Threat};
use app::lab::words;
use serde::Serialize;

/// A cell of the matrix.
pub type CellId = (Strategy, Threat);

/// What the runner does in one document.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// `None`: all at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
    /// The slug of a threat, or `sessions` for what a session should survive.
    pub threat: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cell: Option<String>,
}

/// What is done to one strategy after the other, in the order in which the rows fill.
const ATTACKS: [Threat; 10] = [
    Threat::SingleExecutionTheft,
    Threat::PersistentTheft,
    Threat::NewTokens,
    Threat::Proxying,
    Threat::CsrfChange,
    Threat::CsrfLogin,
    Threat::CsrfLogout,
    Threat::AccessAfterSignOut,
    Threat::RefreshAfterRotation,
    Threat::RefreshBeforeOwner,
];

/// All steps: first what a session should survive, for all strategies at once, because the other tab must find them
/// signed in; then the attacks, each on its own.
pub fn steps() -> Vec<Step> {
    let sessions = Step {
        strategy: None,
        threat: "sessions",
        cell: None,
    };
    let attacks = ATTACKS.iter().flat_map(|threat| {
        Strategy::ALL.iter().map(|strategy| Step {
            strategy: Some(*strategy),
            threat: threat.slug(),
            cell: Some(name_of((*strategy, *threat))),
        })
    });
    std::iter::once(sessions).chain(attacks).collect()
}

/// What step `at` is about, for those who watch.
pub fn doing(at: usize) -> String {
    match steps().get(at) {
        None => "Done.".into(),
        Some(Step { strategy: None, .. }) => {
            "Signing in six times, each with another place for the tokens.".into()
        }
        Some(Step {
            strategy: Some(strategy),
            threat,
            ..
        }) => {
            let threat = Threat::from_slug(threat).map_or(*threat, words::threat);
            format!("{}. {threat}.", words::strategy(*strategy))
        }
    }
}

/// `local-storage.reload`.
pub fn name_of((strategy, threat): CellId) -> String {
    format!("{}.{}", strategy.slug(), threat.slug())
}

pub fn cell_of(name: &str) -> Option<CellId> {
    let (strategy, threat) = name.split_once('.')?;
    Some((Strategy::from_slug(strategy)?, Threat::from_slug(threat)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_that_a_page_can_measure_is_in_the_plan() {
        let measured_at_once = [Threat::Reload, Threat::NewTab, Threat::Restart];
        for threat in Threat::ALL
            .iter()
            .filter(|threat| !measured_at_once.contains(threat))
        {
            for strategy in Strategy::ALL {
                let name = name_of((*strategy, *threat));
                assert_eq!(cell_of(&name), Some((*strategy, *threat)));
                assert_eq!(
                    steps()
                        .iter()
                        .filter(|step| step.cell.as_ref() == Some(&name))
                        .count(),
                    1,
                    "{name}"
                );
            }
        }
    }
}
