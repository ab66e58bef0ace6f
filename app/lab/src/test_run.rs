//! A run for tests.

use lab_types::{Bench, Cell, Place, Run, Stage, Verdict};

/// A run without progress.
pub(crate) fn run(bench: Bench, stage: Stage, cells: Vec<Cell>) -> Run {
    Run {
        id: "a1".into(),
        bench,
        started_at_ms: 0,
        browser: String::new(),
        database: String::new(),
        without: None,
        crowd: None,
        stage,
        done: 0,
        steps: 40,
        doing: String::new(),
        cells,
    }
}

/// A cell that has not reported.
pub(crate) fn cell(place: Place, verdict: Verdict) -> Cell {
    Cell {
        place,
        verdict,
        because: String::new(),
        measured_at_ms: None,
    }
}
