//! `POST /api/test/clock`: moves this server's clock, for end-to-end tests. Not compiled into a release.

use axum::{Router, extract::State, routing::post};
use rotation::Clock;
use serde::{Deserialize, Serialize};

use crate::{error::ApiError, extract::Json, state::AppState};

const PATH: &str = "/api/test/clock";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: i64,
}

#[derive(Serialize)]
struct Now {
    now_ms: i64,
}

pub(super) fn router() -> Router<AppState> {
    Router::new().route(PATH, post(advance_clock))
}

async fn advance_clock(
    State(app): State<AppState>,
    Json(request): Json<Advance>,
) -> Result<Json<Now>, ApiError> {
    let Some(clock) = &app.adjustable_clock else {
        return Err(ApiError::not_found());
    };
    clock.advance(request.advance_seconds);
    Ok(Json(Now {
        now_ms: clock.now().millis(),
    }))
}
