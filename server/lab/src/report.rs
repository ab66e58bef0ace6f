//! Runs as the pages show them: snapshots, cells with their evidence, and the report to download.

use lab_types::{Cell, CellEvidence, CellId, Concurrency, Evidence, Experiment, RunReport, RunSnapshot};

use crate::{
    attacker, plan,
    run::Run,
    verdict::{self, judge},
};

/// A run as the matrix shows it.
pub fn snapshot(run: &Run) -> RunSnapshot {
    let steps = run.steps();
    let count = |steps: usize| u32::try_from(steps).unwrap_or(u32::MAX);
    run.read(|progress| RunSnapshot {
        id: run.id.clone(),
        experiment: run.experiment,
        started_at_ms: run.started_at_ms,
        browser: run.browser.clone(),
        database: run.database.into(),
        without: run.without,
        concurrency: concurrency(run),
        status: progress.status,
        done: count(progress.step),
        steps: count(steps.len()),
        doing: plan::describe(steps.get(progress.step)),
        cells: cells(run).map(|id| measured(id, progress.evidence(id))).collect(),
    })
}

/// One cell with all its evidence.
pub fn cell(run: &Run, id: CellId) -> CellEvidence {
    let evidence = run.evidence(id);
    CellEvidence {
        cell: measured(id, &evidence),
        hypothesis: verdict::hypothesis(id, run.concurrency),
        tally: verdict::tally(id, &evidence),
        attack: attacker::code(id),
        evidence,
    }
}

/// The complete run.
pub fn report(run: &Run) -> RunReport {
    RunReport {
        id: run.id.clone(),
        experiment: run.experiment,
        started_at_ms: run.started_at_ms,
        browser: run.browser.clone(),
        database: run.database.into(),
        without: run.without,
        concurrency: concurrency(run),
        rows: cells(run).map(|id| cell(run, id)).collect(),
    }
}

/// The number of concurrent refreshes, for a race experiment.
fn concurrency(run: &Run) -> Option<Concurrency> {
    (run.experiment == Experiment::Races).then_some(run.concurrency)
}

/// The cells, row by row.
fn cells(run: &Run) -> impl Iterator<Item = CellId> {
    run.experiment.rows().into_iter().flatten()
}

fn measured(id: CellId, evidence: &[Evidence]) -> Cell {
    let (verdict, because) = judge(id, evidence);
    Cell {
        id,
        verdict,
        because,
        measured_at_ms: evidence.last().map(Evidence::at_ms),
    }
}
