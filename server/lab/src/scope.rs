//! Finds what a request is about: an entry of a registry, or the cell to which its evidence belongs. Anything else is
//! refused.

use std::sync::Arc;

use api_types::problem::ProblemCode;
use axum::{
    extract::{FromRequestParts, Query, RawPathParams},
    http::request::Parts,
};
use lab_types::CellId;
use serde::Deserialize;
use web::error::ApiError;

use crate::{
    live::Simulation,
    registry::{Registry, RegistryEntry},
    run::Run,
    state::Lab,
};

/// The run or simulation that a request names, by the `{id}` of its path or by `run` in its query.
#[derive(Debug)]
pub struct Existing<T>(pub Arc<T>);

/// What requests can name.
pub trait Named: RegistryEntry + Sized {
    const NOT_FOUND: &str;

    fn registry(lab: &Lab) -> &Registry<Self>;
}

impl Named for Run {
    const NOT_FOUND: &str = "There is no such run. Runs are kept for an hour: start a new one.";

    fn registry(lab: &Lab) -> &Registry<Self> {
        &lab.runs
    }
}

impl Named for Simulation {
    const NOT_FOUND: &str = "There is no such play. Plays are kept for an hour at most: start a new one.";

    fn registry(lab: &Lab) -> &Registry<Self> {
        &lab.simulations
    }
}

impl<T: Named> FromRequestParts<Arc<Lab>> for Existing<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, lab: &Arc<Lab>) -> Result<Self, ApiError> {
        let in_path = RawPathParams::from_request_parts(parts, lab).await.ok();
        let in_path = in_path.iter().flatten().find(|(name, _)| *name == "id");
        let found = match in_path {
            Some((_, id)) => T::registry(lab).find(id),
            None => T::registry(lab).find(&query(parts).run.unwrap_or_default()),
        };
        found
            .map(Self)
            .ok_or_else(|| ApiError::new(ProblemCode::NotFound, T::NOT_FOUND))
    }
}

/// The run and the cell to which a request belongs. Every address that the lab's pages use contains them.
#[derive(Debug)]
pub struct EvidenceScope {
    pub run: Arc<Run>,
    pub cell: CellId,
    /// The current step of the runner, if this request replaces the runner's page.
    pub step: Option<usize>,
}

impl FromRequestParts<Arc<Lab>> for EvidenceScope {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, lab: &Arc<Lab>) -> Result<Self, ApiError> {
        let Existing(run) = Existing::<Run>::from_request_parts(parts, lab).await?;
        let ScopeQuery { cell, at, .. } = query(parts);
        let cell = cell.and_then(|cell| cell.parse::<CellId>().ok());
        match cell.filter(|cell| cell.experiment() == run.experiment) {
            Some(cell) => Ok(Self { run, cell, step: at }),
            None => Err(ApiError::new(ProblemCode::NotFound, "This run has no such cell.")),
        }
    }
}

#[derive(Default, Deserialize)]
struct ScopeQuery {
    run: Option<String>,
    cell: Option<String>,
    at: Option<usize>,
}

fn query(parts: &Parts) -> ScopeQuery {
    Query::try_from_uri(&parts.uri).map_or_else(|_| ScopeQuery::default(), |Query(query)| query)
}
