//! `DELETE /api/account`

use api_types::account::DeleteAccountRequest;
use axum::{
    extract::State,
    http::{StatusCode, header::SET_COOKIE},
    response::{IntoResponse, Response},
};
use store::sessions::VerifiedCredentials;

use super::reauthenticate::{account_changed, reauthenticate};
use crate::{
    error::ApiError,
    extract::{AuthUser, Json, RequestClient},
    passwords::Password,
    state::AppState,
};

/// Deletes the account with all its sessions: 204, and the cookie is deleted. This cannot be undone.
///
/// # Errors
/// 401 `invalid_credentials` if the current password is wrong, 429 if it was wrong too often, 503 if too many requests
/// wait or the database is unavailable.
pub(super) async fn delete_account(
    State(app): State<AppState>,
    AuthUser(claims): AuthUser,
    RequestClient(client): RequestClient,
    Json(request): Json<DeleteAccountRequest>,
) -> Result<Response, ApiError> {
    let user = reauthenticate(&app, &claims, Password::new(request.current_password)).await?;
    let who = VerifiedCredentials {
        user: user.id,
        token_epoch: user.token_epoch,
        password_hash: &user.password_hash,
    };
    if app
        .store
        .delete_own_account(&who, &app.audit_context(client))
        .await?
    {
        Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, app.cookie.clear())]).into_response())
    } else {
        Err(account_changed())
    }
}
