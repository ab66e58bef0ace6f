//! From evidence to verdict. Pure, and the only place where a cell's colour comes from.
//!
//! # Layout
//! - [`storage`], [`forgery`], [`scripts`], [`races`]: a bench each

mod forgery;
mod races;
mod scripts;
mod storage;

use lab_types::{Crowd, Evidence, Exchange, Place, Tally, Verdict};

const NOT_RUN: &str = "Not run yet.";

/// A verdict and what decided, or why there is none.
type Outcome = Result<(Verdict, String), String>;

/// What an attack is about to find out.
pub fn hypothesis(place: Place, crowd: Crowd) -> String {
    match place {
        Place::Storage { threat, .. } => storage::hypothesis(threat).into(),
        Place::Forgery { source, vector, .. } => forgery::hypothesis(source, vector),
        Place::Script { injection, .. } => scripts::hypothesis(injection).into(),
        Place::Race { load, .. } => races::hypothesis(load, crowd),
    }
}

/// What the evidence comes to, and what decided.
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

/// What the counted requests came to.
pub fn tally(place: Place, evidence: &[Evidence]) -> Vec<Tally> {
    match place {
        Place::Race { remedy, .. } => races::tally(remedy, evidence),
        _ => Vec::new(),
    }
}

/// A step that broke off says why.
fn failure(evidence: &[Evidence]) -> Option<String> {
    evidence.iter().find_map(|one| match one {
        Evidence::Note { text, .. } if text.starts_with("The step failed") => Some(text.clone()),
        _ => None,
    })
}

/// Whether the server did what it was asked for. Trouble of its own says nothing about an attack.
fn obeyed(exchange: &Exchange) -> Result<bool, String> {
    match exchange.status {
        200..=399 => Ok(true),
        400 | 401 | 403 | 404 | 405 | 409 | 415 | 422 => Ok(false),
        status => Err(format!(
            "The server answered {status}, which says nothing about the attack."
        )),
    }
}
