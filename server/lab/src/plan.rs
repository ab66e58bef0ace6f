//! The steps of a run, in order.

use lab_types::labels;
use lab_types::{CellId, Concurrency, CsrfDefence, Experiment, RequestSource, Strategy, Threat, Vector};
use serde::Serialize;

/// The work of the runner in one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "act", rename_all = "kebab-case")]
pub enum RunnerStep {
    /// Events that a session should survive, for all strategies together.
    Sessions,
    /// An attack on the tokens of one strategy.
    Attack(NamedCell),
    /// The visitor signs in at the targets of the next steps.
    SignIn,
    /// All forged requests from this source that happen in the background, one after the other.
    #[serde(rename = "unseen")]
    Background { source: RequestSource },
    /// A forged request that navigates the visitor.
    Navigation(NamedCell),
    /// A page with injected content.
    Page(NamedCell),
    /// Concurrent refreshes, from this many tabs.
    Race {
        #[serde(flatten)]
        cell: NamedCell,
        #[serde(flatten)]
        concurrency: Concurrency,
    },
}

/// A cell together with its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedCell {
    #[serde(flatten)]
    pub id: CellId,
    #[serde(rename = "cell")]
    name: String,
}

impl From<CellId> for NamedCell {
    fn from(id: CellId) -> Self {
        let name = id.to_string();
        Self { id, name }
    }
}

/// The attacks on one strategy after the other, in the order in which the rows fill.
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

/// Forged requests that need no separate page, because they show nothing.
pub const BACKGROUND: [Vector; 3] = [Vector::Fetch, Vector::Beacon, Vector::Image];

/// All steps of an experiment.
pub fn steps(experiment: Experiment, concurrency: Concurrency) -> Vec<RunnerStep> {
    match experiment {
        Experiment::Storage => storage(),
        Experiment::Forgery => forgery(),
        Experiment::Scripts => scripts(),
        Experiment::Races => races(concurrency),
    }
}

/// First the events that a session should survive, because the other tab must find all strategies signed in; then the
/// attacks, each separately.
fn storage() -> Vec<RunnerStep> {
    let attacks = ATTACKS.iter().flat_map(|threat| {
        let cell = |strategy: &Strategy| CellId::Storage {
            strategy: *strategy,
            threat: *threat,
        };
        let cells = Strategy::ALL.iter().map(cell);
        cells.map(|cell| RunnerStep::Attack(cell.into()))
    });
    std::iter::once(RunnerStep::Sessions).chain(attacks).collect()
}

/// Another site comes first, because a sibling leaves a cookie behind. Within each source the background requests come
/// first: a page cannot wait for the end of a beacon, so another step has to follow.
fn forgery() -> Vec<RunnerStep> {
    let cells = Experiment::Forgery.rows().concat();
    let from = |source: RequestSource| {
        let navigations = cells.iter().copied().filter(move |cell| {
            matches!(cell, CellId::Forgery { source: from, vector, .. }
                if *from == source && !BACKGROUND.contains(vector))
        });
        std::iter::once(RunnerStep::Background { source })
            .chain(navigations.map(|cell| RunnerStep::Navigation(cell.into())))
    };
    std::iter::once(RunnerStep::SignIn)
        .chain(RequestSource::ALL.iter().flat_map(|source| from(*source)))
        .collect()
}

fn scripts() -> Vec<RunnerStep> {
    let pages = Experiment::Scripts.rows().concat().into_iter();
    std::iter::once(RunnerStep::SignIn)
        .chain(pages.map(|cell| RunnerStep::Page(cell.into())))
        .collect()
}

fn races(concurrency: Concurrency) -> Vec<RunnerStep> {
    let step = |cell| match cell {
        CellId::Race { load, .. } => Some(RunnerStep::Race {
            cell: NamedCell::from(cell),
            concurrency: concurrency.for_scenario(load),
        }),
        _ => None,
    };
    Experiment::Races
        .rows()
        .concat()
        .into_iter()
        .filter_map(step)
        .collect()
}

/// What [`RunnerStep::Background`] tries, from any source.
pub fn background_requests() -> impl Iterator<Item = (CsrfDefence, Vector)> {
    CsrfDefence::ALL
        .iter()
        .flat_map(|defence| BACKGROUND.iter().map(move |vector| (*defence, *vector)))
}

/// What a step does, as text for the visitor. Empty after the last step.
pub fn describe(step: Option<&RunnerStep>) -> String {
    match step {
        None => "Done.".into(),
        Some(RunnerStep::Sessions) => "Signing in with all six strategies.".into(),
        Some(RunnerStep::SignIn) => "Signing in.".into(),
        Some(RunnerStep::Background { source }) => {
            format!("{}. Requests in the background.", labels::source(*source))
        }
        Some(
            RunnerStep::Attack(cell)
            | RunnerStep::Navigation(cell)
            | RunnerStep::Page(cell)
            | RunnerStep::Race { cell, .. },
        ) => {
            format!("{}. {}.", labels::column(cell.id), labels::row(cell.id))
        }
    }
}

#[cfg(test)]
mod tests {
    use lab_types::{ContentPolicy, Injection, RaceDefence};

    use super::*;

    fn times(experiment: Experiment, id: CellId) -> usize {
        let is_it = |step: &&RunnerStep| match step {
            RunnerStep::Attack(cell)
            | RunnerStep::Navigation(cell)
            | RunnerStep::Page(cell)
            | RunnerStep::Race { cell, .. } => cell.id == id,
            RunnerStep::Background { source: from } => matches!(
                id,
                CellId::Forgery { guard, source, vector }
                    if source == *from && background_requests().any(|one| one == (guard, vector))
            ),
            RunnerStep::Sessions | RunnerStep::SignIn => false,
        };
        steps(experiment, Concurrency::default())
            .iter()
            .filter(is_it)
            .count()
    }

    #[test]
    fn every_measurable_cell_is_in_the_plan_once() {
        let together = [Threat::Reload, Threat::NewTab, Threat::Restart];
        for experiment in Experiment::ALL {
            for id in experiment.rows().concat() {
                let expected = match id {
                    CellId::Storage { threat, .. } if together.contains(&threat) => 0,
                    _ => 1,
                };
                assert_eq!(times(*experiment, id), expected, "{id}");
            }
        }
    }

    #[test]
    fn a_step_names_its_action_and_its_cell() {
        let first = &steps(Experiment::Scripts, Concurrency::default())[1];
        assert_eq!(
            serde_json::to_value(first).expect("JSON"),
            serde_json::json!({
                "act": "page",
                "policy": ContentPolicy::None.slug(),
                "injection": Injection::InlineHandler.slug(),
                "cell": "no-policy.inline-handler",
            })
        );
        let concurrency = Concurrency::new(8, 2).expect("within bounds");
        let many = &steps(Experiment::Races, concurrency)[RaceDefence::ALL.len()];
        assert_eq!(
            serde_json::to_value(many).expect("JSON"),
            serde_json::json!({
                "act": "race",
                "remedy": "no-remedy",
                "load": "many-tabs",
                "cell": "no-remedy.many-tabs",
                "tabs": 8,
                "requests": 2,
            })
        );
    }
}
