//! `/api/lab/runs`: the runs of experiments.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Path, State},
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_DISPOSITION, USER_AGENT},
    },
    response::IntoResponse,
    routing::{get, post},
};
use lab_types::{CellEvidence, CellId, NewRun, RunSnapshot, RunStarted, RunStatus, paths};
use serde::Deserialize;
use tokio::time::Instant;
use web::{error::ApiError, extract::Json};

use super::events::{QUIET, StreamSlot, event};
use crate::{
    report,
    run::Run,
    scope::Existing,
    state::{Lab, NewRunError},
};

pub(super) fn start_router() -> Router<Arc<Lab>> {
    Router::new().route(paths::RUNS, post(start))
}

pub(super) fn router() -> Router<Arc<Lab>> {
    Router::new()
        .route(paths::RUN, get(read))
        .route(paths::RUN_EVENTS, get(follow))
        .route(paths::CELL, get(read_cell))
        .route(paths::REPORT, get(download))
}

impl From<NewRunError> for ApiError {
    fn from(error: NewRunError) -> Self {
        match error {
            NewRunError::TooMany => Self::rate_limited(Duration::from_mins(1)),
            NewRunError::Product(_) | NewRunError::Simulation(_) => Self::unavailable(error),
        }
    }
}

/// Starts a run; the runner's page does the rest.
///
/// # Errors
/// 429 if too many were started within a minute.
async fn start(
    State(lab): State<Arc<Lab>>,
    headers: HeaderMap,
    Json(new): Json<NewRun>,
) -> Result<(StatusCode, Json<RunStarted>), ApiError> {
    let user_agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    let run = lab.start_run(new, user_agent.unwrap_or_default()).await?;
    let address = |page: &str| format!("{}/{page}?run={}", lab.sites.victim, run.id);
    let started = RunStarted {
        id: run.id.clone(),
        runner: address("play"),
        second_tab: address("second-tab"),
    };
    Ok((StatusCode::CREATED, Json(started)))
}

/// The current state of a run.
///
/// # Errors
/// 404 if the run does not exist.
async fn read(Existing(run): Existing<Run>) -> Json<RunSnapshot> {
    Json(report::snapshot(&run))
}

/// Streams a run: its full state after every change, until it is finished.
///
/// # Errors
/// 404 if the run does not exist; 429 if the visitor follows too many.
async fn follow(slot: StreamSlot, Existing(run): Existing<Run>) -> impl IntoResponse {
    let changes = run.follow();
    // A watcher does not keep an expired run alive; when the run is dropped, the stream ends.
    let (run, followed) = (Arc::downgrade(&run), Arc::downgrade(&run));
    let is_finished = move || {
        let followed = followed.upgrade();
        followed.is_none_or(|run| run.read(|progress| progress.status == RunStatus::Finished))
    };
    // A browser has few connections per host. A client that still waits for an idle run reconnects.
    let deadline = move || Instant::now() + if is_finished() { Duration::ZERO } else { QUIET };
    slot.stream(changes, deadline, move |()| {
        Some(event("run", &report::snapshot(&*run.upgrade()?)))
    })
}

#[derive(Deserialize)]
struct CellPath {
    column: String,
    row: String,
}

/// A cell with its evidence.
///
/// # Errors
/// 404 if the run or cell does not exist.
async fn read_cell(
    Existing(run): Existing<Run>,
    Path(CellPath { column, row }): Path<CellPath>,
) -> Result<Json<CellEvidence>, ApiError> {
    match format!("{column}.{row}").parse::<CellId>() {
        Ok(cell) if cell.experiment() == run.experiment => Ok(Json(report::cell(&run, cell))),
        _ => Err(ApiError::not_found()),
    }
}

/// The whole run, as a file to download.
///
/// # Errors
/// 404 if the run does not exist.
async fn download(Existing(run): Existing<Run>) -> impl IntoResponse {
    let name = format!("attachment; filename=\"keyturn-lab-{}.json\"", run.id);
    ([(CONTENT_DISPOSITION, name)], Json(report::report(&run)))
}
