//! Signs of life, for load balancers and people who run this.

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

/// The process answers.
async fn get_live() -> (StatusCode, Json<Health>) {
    (StatusCode::OK, Json(Health { status: "live" }))
}

/// The process can do its work: the database takes a write, and a second connection sees it.
async fn get_ready(State(app): State<AppState>) -> Result<Json<Health>, ApiError> {
    app.readiness
        .check(&app.store)
        .await
        .map_err(ApiError::unavailable)?;
    Ok(Json(Health { status: "ready" }))
}
