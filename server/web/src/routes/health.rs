//! Health checks, for load balancers and operators.

use api_types::paths;
use axum::{Router, extract::State, http::StatusCode, routing::get};
use serde::Serialize;

use crate::{error::ApiError, extract::Json, state::AppState};

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route(paths::HEALTH_LIVE, get(get_live))
        .route(paths::HEALTH_READY, get(get_ready))
}

/// Liveness: the process responds.
async fn get_live() -> (StatusCode, Json<Health>) {
    (StatusCode::OK, Json(Health { status: "live" }))
}

/// Readiness: the database accepts a write, and a second connection sees it.
async fn get_ready(State(app): State<AppState>) -> Result<Json<Health>, ApiError> {
    app.readiness
        .check(&app.store)
        .await
        .map_err(ApiError::unavailable)?;
    Ok(Json(Health { status: "ready" }))
}
