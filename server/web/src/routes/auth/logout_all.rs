//! `POST /api/auth/logout-all`

use axum::{
    extract::State,
    http::{StatusCode, header::SET_COOKIE},
    response::{IntoResponse, Response},
};

use crate::{
    error::ApiError,
    extract::{AuthUser, RequestClient},
    state::AppState,
};

/// Ends every session of the bearer's account, including this one: 204, and the cookie is deleted.
///
/// # Errors
/// 503 if the end could not be committed. Then the sessions continue, and the client must retry.
pub async fn logout_everywhere(
    State(app): State<AppState>,
    AuthUser(claims): AuthUser,
    RequestClient(client): RequestClient,
) -> Result<Response, ApiError> {
    app.store
        .log_out_everywhere(claims.sub, &app.audit_context(client))
        .await?;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, app.cookie.clear())]).into_response())
}
