//! `/api/lab/plays`: live simulations.

use std::{sync::Arc, time::Duration};

use api_types::problem::ProblemCode;
use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::IntoResponse,
    routing::{get, post},
};
use lab_types::{
    live::{NewSimulation, SimulationAction, SimulationSnapshot},
    paths,
};
use tokio::time::Instant;
use web::{error::ApiError, extract::Json};

use super::events::{StreamSlot, event};
use crate::{
    live::{ActionError, Simulation},
    scope::Existing,
    state::Lab,
};

pub(super) fn start_router() -> Router<Arc<Lab>> {
    Router::new().route(paths::SIMULATIONS, post(start))
}

pub(super) fn router() -> Router<Arc<Lab>> {
    Router::new()
        .route(paths::SIMULATION, get(read))
        .route(paths::SIMULATION_ACTIONS, post(act))
        .route(paths::SIMULATION_EVENTS, get(follow))
}

impl From<ActionError> for ApiError {
    fn from(error: ActionError) -> Self {
        match error {
            ActionError::NoSuchToken => Self::new(
                ProblemCode::NotFound,
                "This simulation has no such token. Choose one that is in its tree.",
            ),
            ActionError::Full => Self::new(
                ProblemCode::RateLimited,
                "This simulation has had all its actions. Start a new one.",
            ),
            ActionError::Store(error) => error.into(),
            ActionError::Request(_) | ActionError::NotSignedIn(_) => Self::internal(error),
        }
    }
}

/// Starts a simulation. It runs in a separate task, like every action: a client that disconnects must not leave a
/// partial change.
///
/// # Errors
/// 422 for an unknown design; 429 if too many were started within a minute.
async fn start(
    State(lab): State<Arc<Lab>>,
    Json(new): Json<NewSimulation>,
) -> Result<(StatusCode, Json<SimulationSnapshot>), ApiError> {
    let started = tokio::spawn(async move { lab.start_simulation(new.design).await });
    let simulation = started.await.map_err(ApiError::internal)??;
    Ok((StatusCode::CREATED, Json(simulation.snapshot())))
}

/// Performs an action in a simulation, and returns the state after it.
///
/// # Errors
/// 404 if the simulation or token does not exist; 429 once the simulation has had all its actions.
async fn act(
    State(lab): State<Arc<Lab>>,
    Existing(simulation): Existing<Simulation>,
    Json(action): Json<SimulationAction>,
) -> Result<Json<SimulationSnapshot>, ApiError> {
    let performed = tokio::spawn(async move { simulation.perform(&lab.product, action).await });
    Ok(Json(performed.await.map_err(ApiError::internal)??))
}

/// The current state of a simulation.
///
/// # Errors
/// 404 if the simulation does not exist.
async fn read(Existing(simulation): Existing<Simulation>) -> Json<SimulationSnapshot> {
    Json(simulation.snapshot())
}

/// Streams a simulation: its full state after every action, until the lab closes or the simulation is dropped.
///
/// # Errors
/// 404 if the simulation does not exist; 429 if too many watch it, or the visitor follows too many.
async fn follow(
    State(lab): State<Arc<Lab>>,
    slot: StreamSlot,
    Existing(simulation): Existing<Simulation>,
) -> Result<impl IntoResponse, ApiError> {
    let changes = simulation.follow();
    let changes = changes.ok_or_else(|| ApiError::rate_limited(Duration::from_mins(1)))?;
    let end = Instant::now() + simulation.time_left(lab.product.app.clock.now());
    Ok(slot.stream(changes, move || end, |snapshot| Some(event("play", snapshot))))
}
