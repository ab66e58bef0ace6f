//! Computes verdicts from evidence. Pure functions, and the only source of a cell's colour.
//!
//! # Layout
//! - [`storage`], [`forgery`], [`scripts`], [`races`]: one experiment each
//! - [`judgement`] what they have in common

#[cfg(test)]
mod fixtures;
mod forgery;
mod judgement;
mod races;
mod scripts;
mod storage;

use lab_types::{CellId, CellVerdict, Concurrency, Evidence, NotedEvent, OutcomeCount};

/// The hypothesis of an attack.
pub fn hypothesis(cell: CellId, concurrency: Concurrency) -> String {
    match cell {
        CellId::Storage { threat, .. } => storage::hypothesis(threat).into(),
        CellId::Forgery { source, vector, .. } => forgery::hypothesis(source, vector),
        CellId::Script { injection, .. } => scripts::hypothesis(injection).into(),
        CellId::Race { load, .. } => races::hypothesis(load, concurrency),
    }
}

/// The verdict on the evidence, and its reason.
pub fn judge(cell: CellId, evidence: &[Evidence]) -> (CellVerdict, String) {
    let judgement = match cell {
        CellId::Storage { strategy, threat } => storage::judge(strategy, threat, evidence),
        CellId::Forgery {
            guard,
            source,
            vector,
        } => forgery::judge(guard, source, vector, evidence),
        CellId::Script { injection, .. } => scripts::judge(injection, evidence),
        CellId::Race { remedy, load } => races::judge(remedy, load, evidence),
    };
    judgement.unwrap_or_else(|unmeasured| {
        let why = failure(evidence).unwrap_or_else(|| unmeasured.to_string());
        (CellVerdict::NotMeasured, why)
    })
}

/// The results of the counted requests.
pub fn tally(cell: CellId, evidence: &[Evidence]) -> Vec<OutcomeCount> {
    match cell {
        CellId::Race { remedy, .. } => races::tally(remedy, evidence),
        _ => Vec::new(),
    }
}

/// The reason for which a step failed.
fn failure(evidence: &[Evidence]) -> Option<String> {
    evidence.iter().find_map(|one| match one {
        Evidence::Note {
            text,
            event: Some(NotedEvent::StepFailed),
            ..
        } => Some(text.clone()),
        _ => None,
    })
}
