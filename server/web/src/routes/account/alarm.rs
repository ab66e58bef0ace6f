//! `/api/account/alarm`

use api_types::{
    account::{AlarmResponse, AlarmSeenRequest},
    problem::ProblemCode,
};
use axum::{extract::State, http::StatusCode};

use super::events::entry;
use crate::{
    error::ApiError,
    extract::{AuthUser, Json, RequestClient},
    state::AppState,
};

/// The newest reuse of one of the account's refresh tokens, or otherwise a warning about many failed sign-ins, unless
/// it was dismissed.
///
/// # Errors
/// 503 if the database is unavailable.
pub(super) async fn show_alarm(
    State(app): State<AppState>,
    AuthUser(claims): AuthUser,
) -> Result<Json<AlarmResponse>, ApiError> {
    let alarm = app.store.alarm_of(claims.sub).await?.map(entry);
    Ok(Json(AlarmResponse { alarm }))
}

/// Marks the alarm as seen, on all devices. Idempotent.
///
/// # Errors
/// 404 if the account has no such alarm, 503 if the database is unavailable.
pub(super) async fn mark_seen(
    State(app): State<AppState>,
    AuthUser(claims): AuthUser,
    RequestClient(client): RequestClient,
    Json(request): Json<AlarmSeenRequest>,
) -> Result<StatusCode, ApiError> {
    let id = request.id.parse().map_err(|_| no_such_alarm())?;
    if app
        .store
        .mark_alarm_seen(claims.sub, id, &app.audit_context(client))
        .await?
    {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(no_such_alarm())
    }
}

fn no_such_alarm() -> ApiError {
    ApiError::new(
        ProblemCode::NotFound,
        "Your account has no such alarm. Ask again which one it has.",
    )
}
