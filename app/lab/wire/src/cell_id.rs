//! Which cell of which experiment's table, and its name in addresses.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::experiments::{
    ContentPolicy, CsrfDefence, Experiment, Injection, RaceDefence, RaceScenario, RequestSource, Strategy,
    Threat, Vector,
};

/// A cell of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum CellId {
    Storage {
        strategy: Strategy,
        threat: Threat,
    },
    Forgery {
        guard: CsrfDefence,
        source: RequestSource,
        vector: Vector,
    },
    Script {
        policy: ContentPolicy,
        injection: Injection,
    },
    Race {
        remedy: RaceDefence,
        load: RaceScenario,
    },
}

impl CellId {
    pub const fn experiment(self) -> Experiment {
        match self {
            Self::Storage { .. } => Experiment::Storage,
            Self::Forgery { .. } => Experiment::Forgery,
            Self::Script { .. } => Experiment::Scripts,
            Self::Race { .. } => Experiment::Races,
        }
    }

    /// The name of the column in addresses.
    pub const fn column(self) -> &'static str {
        match self {
            Self::Storage { strategy, .. } => strategy.slug(),
            Self::Forgery { guard, .. } => guard.slug(),
            Self::Script { policy, .. } => policy.slug(),
            Self::Race { remedy, .. } => remedy.slug(),
        }
    }

    /// The name of the row in addresses.
    pub fn row(self) -> String {
        match self {
            Self::Storage { threat, .. } => threat.slug().into(),
            Self::Forgery { source, vector, .. } => format!("{}-{}", source.slug(), vector.slug()),
            Self::Script { injection, .. } => injection.slug().into(),
            Self::Race { load, .. } => load.slug().into(),
        }
    }
}

impl Experiment {
    /// The table: rows, each with a cell for every column.
    pub fn rows(self) -> Vec<Vec<CellId>> {
        match self {
            Self::Storage => table(Threat::ALL, Strategy::ALL, |threat, strategy| CellId::Storage {
                strategy,
                threat,
            }),
            Self::Forgery => {
                let from = |source| {
                    table(Vector::ALL, CsrfDefence::ALL, move |vector, guard| {
                        CellId::Forgery {
                            guard,
                            source,
                            vector,
                        }
                    })
                };
                RequestSource::ALL.iter().copied().flat_map(from).collect()
            }
            Self::Scripts => table(Injection::ALL, ContentPolicy::ALL, |injection, policy| {
                CellId::Script { policy, injection }
            }),
            Self::Races => table(RaceScenario::ALL, RaceDefence::ALL, |load, remedy| CellId::Race {
                remedy,
                load,
            }),
        }
    }
}

fn table<R: Copy, C: Copy>(rows: &[R], columns: &[C], cell: impl Fn(R, C) -> CellId) -> Vec<Vec<CellId>> {
    let row = |row: &R| columns.iter().map(|column| cell(*row, *column)).collect();
    rows.iter().map(row).collect()
}

/// `local-storage.reload`: the column, then the row.
impl fmt::Display for CellId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.column(), self.row())
    }
}

/// No experiment has such a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownCell;

impl FromStr for CellId {
    type Err = UnknownCell;

    fn from_str(name: &str) -> Result<Self, UnknownCell> {
        let mut cells = Experiment::ALL
            .iter()
            .flat_map(|experiment| experiment.rows())
            .flatten();
        cells.find(|cell| cell.to_string() == name).ok_or(UnknownCell)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn all() -> impl Iterator<Item = CellId> {
        Experiment::ALL
            .iter()
            .flat_map(|experiment| experiment.rows())
            .flatten()
    }

    #[test]
    fn every_cell_has_a_unique_name_and_is_found_by_it() {
        let names: HashSet<String> = all().map(|cell| cell.to_string()).collect();
        assert_eq!(names.len(), 13 * 6 + 14 * 9 + 15 * 4 + 3 * 7);
        for cell in all() {
            assert_eq!(cell.to_string().parse(), Ok(cell));
            let json = serde_json::to_string(&cell).expect("JSON");
            assert_eq!(serde_json::from_str::<CellId>(&json).expect("a cell"), cell);
        }
    }

    #[test]
    fn the_cells_of_an_experiment_are_its_own() {
        for experiment in Experiment::ALL {
            let cells = experiment.rows().concat();
            assert!(cells.iter().all(|cell| cell.experiment() == *experiment));
        }
    }

    #[test]
    fn other_names_are_unknown() {
        for name in [
            "",
            ".",
            "memory",
            "memory.",
            "memory.reload.",
            "reload.memory",
            "memory.form",
            "origin.form",
            "origin.sibling-",
            "our-policy.reload",
        ] {
            assert_eq!(name.parse::<CellId>(), Err(UnknownCell), "{name:?}");
        }
    }
}
