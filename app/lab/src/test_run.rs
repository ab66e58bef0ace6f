//! A run for tests.

use lab_types::{Cell, CellId, CellVerdict, Experiment, RunSnapshot, RunStatus};

/// A run without progress.
pub(crate) fn run(experiment: Experiment, status: RunStatus, cells: Vec<Cell>) -> RunSnapshot {
    RunSnapshot {
        id: "a1".into(),
        experiment,
        started_at_ms: 0,
        browser: String::new(),
        database: String::new(),
        without: None,
        concurrency: None,
        status,
        done: 0,
        steps: 40,
        doing: String::new(),
        cells,
    }
}

/// A cell that has not reported.
pub(crate) fn cell(id: CellId, verdict: CellVerdict) -> Cell {
    Cell {
        id,
        verdict,
        because: String::new(),
        measured_at_ms: None,
    }
}
