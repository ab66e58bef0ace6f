//! The steps of a run, in order.

use lab_types::labels;
use lab_types::{Bench, Crowd, Guard, Place, Source, Strategy, Threat, Vector};
use serde::Serialize;

/// The work of the runner in one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "act", rename_all = "kebab-case")]
pub enum Step {
    /// Events that a session should survive, for all strategies together.
    Sessions,
    /// An attack on the tokens of one strategy.
    Attack {
        #[serde(flatten)]
        cell: Named,
    },
    /// The visitor signs in at the targets of the next steps.
    SignIn,
    /// All forged requests from this source that happen in the background, one after the other.
    Unseen { source: Source },
    /// A forged request that navigates the visitor.
    Navigation {
        #[serde(flatten)]
        cell: Named,
    },
    /// A page with injected content.
    Page {
        #[serde(flatten)]
        cell: Named,
    },
    /// Concurrent refreshes, from this many tabs.
    Race {
        #[serde(flatten)]
        cell: Named,
        #[serde(flatten)]
        crowd: Crowd,
    },
}

/// A place together with its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    #[serde(flatten)]
    pub place: Place,
    cell: String,
}

impl From<Place> for Named {
    fn from(place: Place) -> Self {
        let cell = place.to_string();
        Self { place, cell }
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
pub const UNSEEN: [Vector; 3] = [Vector::Fetch, Vector::Beacon, Vector::Image];

/// All steps of an experiment.
pub fn steps(bench: Bench, crowd: Crowd) -> Vec<Step> {
    match bench {
        Bench::Storage => storage(),
        Bench::Forgery => forgery(),
        Bench::Scripts => scripts(),
        Bench::Races => races(crowd),
    }
}

/// First the events that a session should survive, because the other tab must find all strategies signed in; then the
/// attacks, each separately.
fn storage() -> Vec<Step> {
    let attacks = ATTACKS.iter().flat_map(|threat| {
        Strategy::ALL.iter().map(|strategy| Step::Attack {
            cell: Named::from(Place::Storage {
                strategy: *strategy,
                threat: *threat,
            }),
        })
    });
    std::iter::once(Step::Sessions).chain(attacks).collect()
}

/// Another site comes first, because a sibling leaves a cookie behind. Within each source the background requests come
/// first: a page cannot wait for the end of a beacon, so another step has to follow.
fn forgery() -> Vec<Step> {
    let places = Bench::Forgery.rows().concat();
    let from = |source: Source| {
        let navigations = places.iter().copied().filter(move |place| {
            matches!(place, Place::Forgery { source: from, vector, .. }
                if *from == source && !UNSEEN.contains(vector))
        });
        std::iter::once(Step::Unseen { source })
            .chain(navigations.map(|place| Step::Navigation { cell: place.into() }))
    };
    std::iter::once(Step::SignIn)
        .chain(Source::ALL.iter().flat_map(|source| from(*source)))
        .collect()
}

fn scripts() -> Vec<Step> {
    let pages = Bench::Scripts.rows().concat().into_iter();
    std::iter::once(Step::SignIn)
        .chain(pages.map(|place| Step::Page { cell: place.into() }))
        .collect()
}

fn races(crowd: Crowd) -> Vec<Step> {
    let step = |place| match place {
        Place::Race { load, .. } => Some(Step::Race {
            cell: Named::from(place),
            crowd: crowd.under(load),
        }),
        _ => None,
    };
    Bench::Races
        .rows()
        .concat()
        .into_iter()
        .filter_map(step)
        .collect()
}

/// What [`Step::Unseen`] tries, from any source.
pub fn unseen() -> impl Iterator<Item = (Guard, Vector)> {
    Guard::ALL
        .iter()
        .flat_map(|guard| UNSEEN.iter().map(move |vector| (*guard, *vector)))
}

/// What a step does, as text for the visitor. Empty after the last step.
pub fn doing(step: Option<&Step>) -> String {
    match step {
        None => "Done.".into(),
        Some(Step::Sessions) => "Signing in with all six strategies.".into(),
        Some(Step::SignIn) => "Signing in.".into(),
        Some(Step::Unseen { source }) => {
            format!("{}. Requests in the background.", labels::source(*source))
        }
        Some(
            Step::Attack { cell } | Step::Navigation { cell } | Step::Page { cell } | Step::Race { cell, .. },
        ) => {
            format!("{}. {}.", labels::column(cell.place), labels::row(cell.place))
        }
    }
}

#[cfg(test)]
mod tests {
    use lab_types::{Injection, Policy, Remedy};

    use super::*;

    fn times(bench: Bench, place: Place) -> usize {
        let is_it = |step: &&Step| match step {
            Step::Attack { cell }
            | Step::Navigation { cell }
            | Step::Page { cell }
            | Step::Race { cell, .. } => cell.place == place,
            Step::Unseen { source: from } => matches!(
                place,
                Place::Forgery { guard, source, vector }
                    if source == *from && unseen().any(|one| one == (guard, vector))
            ),
            Step::Sessions | Step::SignIn => false,
        };
        steps(bench, Crowd::default()).iter().filter(is_it).count()
    }

    #[test]
    fn every_cell_that_a_page_can_measure_is_in_the_plan_once() {
        let at_once = [Threat::Reload, Threat::NewTab, Threat::Restart];
        for bench in Bench::ALL {
            for place in bench.rows().concat() {
                let expected = match place {
                    Place::Storage { threat, .. } if at_once.contains(&threat) => 0,
                    _ => 1,
                };
                assert_eq!(times(*bench, place), expected, "{place}");
            }
        }
    }

    #[test]
    fn the_runner_is_told_what_to_do_and_whose_evidence_it_is() {
        let first = &steps(Bench::Scripts, Crowd::default())[1];
        assert_eq!(
            serde_json::to_value(first).expect("JSON"),
            serde_json::json!({
                "act": "page",
                "policy": Policy::None.slug(),
                "injection": Injection::InlineHandler.slug(),
                "cell": "no-policy.inline-handler",
            })
        );
        let crowd = Crowd::new(8, 2).expect("within bounds");
        let many = &steps(Bench::Races, crowd)[Remedy::ALL.len()];
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
