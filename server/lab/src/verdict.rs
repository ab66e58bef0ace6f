//! Computes verdicts from evidence. Pure functions, and the only source of a cell's colour.
//!
//! # Layout
//! - [`storage`], [`forgery`], [`scripts`], [`races`]: one experiment each

mod forgery;
mod races;
mod scripts;
mod storage;

use lab_types::{Crowd, Evidence, Exchange, Place, Tally, Verdict};

const NOT_RUN: &str = "Not run yet.";

/// A verdict and its reason, or why there is none.
type Outcome = Result<(Verdict, String), String>;

/// The hypothesis of an attack.
pub fn hypothesis(place: Place, crowd: Crowd) -> String {
    match place {
        Place::Storage { threat, .. } => storage::hypothesis(threat).into(),
        Place::Forgery { source, vector, .. } => forgery::hypothesis(source, vector),
        Place::Script { injection, .. } => scripts::hypothesis(injection).into(),
        Place::Race { load, .. } => races::hypothesis(load, crowd),
    }
}

/// The verdict on the evidence, and its reason.
pub fn judge(place: Place, evidence: &[Evidence]) -> (Verdict, String) {
    let outcome = match place {
        Place::Storage { strategy, threat } => storage::judge(strategy, threat, evidence),
        Place::Forgery {
            guard,
            source,
            vector,
        } => forgery::judge(guard, source, vector, evidence),
        Place::Script { injection, .. } => scripts::judge(injection, evidence),
        Place::Race { remedy, load } => races::judge(remedy, load, evidence),
    };
    outcome.unwrap_or_else(|why| (Verdict::NotMeasured, failure(evidence).unwrap_or(why)))
}

/// The results of the counted requests.
pub fn tally(place: Place, evidence: &[Evidence]) -> Vec<Tally> {
    match place {
        Place::Race { remedy, .. } => races::tally(remedy, evidence),
        _ => Vec::new(),
    }
}

/// The reason for which a step failed.
fn failure(evidence: &[Evidence]) -> Option<String> {
    evidence.iter().find_map(|one| match one {
        Evidence::Note { text, .. } if text.starts_with("The step failed") => Some(text.clone()),
        _ => None,
    })
}

/// Whether the server executed the request. A server error says nothing about an attack.
fn obeyed(exchange: &Exchange) -> Result<bool, String> {
    match exchange.status {
        200..=399 => Ok(true),
        400 | 401 | 403 | 404 | 405 | 409 | 415 | 422 => Ok(false),
        status => Err(format!(
            "The server answered {status}, which says nothing about the attack."
        )),
    }
}
