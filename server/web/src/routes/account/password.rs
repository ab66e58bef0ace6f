//! `POST /api/account/password`

use api_types::{account::ChangePasswordRequest, auth::SignedInResponse};
use axum::{
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use password_policy::Rules;
use store::sessions::{LoginOutcome, VerifiedCredentials};

use super::reauthenticate::{account_changed, reauthenticate};
use crate::{
    accounts::{breached_password, refused_password},
    error::ApiError,
    extract::{AuthUser, Json, RequestClient},
    passwords::Password,
    routes::auth::{issue, new_session, sign_in_cookies, user_body},
    state::AppState,
};

/// Changes the password. Every older session ends, and the caller gets a new one, with the same response as a login.
///
/// # Errors
/// 401 `invalid_credentials` if the current password is wrong, 429 if it was wrong too often, 422 if the new one is
/// refused, 503 if too many requests wait or the database is unavailable.
pub(super) async fn change_password(
    State(app): State<AppState>,
    headers: HeaderMap,
    AuthUser(claims): AuthUser,
    RequestClient(client): RequestClient,
    Json(request): Json<ChangePasswordRequest>,
) -> Result<Response, ApiError> {
    let ChangePasswordRequest {
        current_password,
        new_password,
    } = request;
    let new_password = Password::new(new_password);
    let current_password = Password::new(current_password);
    let user = reauthenticate(&app, &claims, current_password.clone()).await?;
    let rules = Rules {
        min_length: app.config.passwords.min_length,
        email: &user.email,
        current: Some(current_password.expose()),
    };
    password_policy::check(new_password.expose(), &rules)
        .map_err(|refusal| ApiError::validation(vec![refused_password("new_password", refusal)]))?;
    if app.passwords.is_breached(&new_password).await? {
        return Err(ApiError::validation(vec![breached_password("new_password")]));
    }
    let hash = app.passwords.hash(new_password).await?;

    // The choice of “Keep me signed in” is kept.
    let Some(remember) = app.store.remembers(claims.sid).await? else {
        return Err(account_changed());
    };
    let now = app.clock.now();
    let who = VerifiedCredentials {
        user: user.id,
        token_epoch: user.token_epoch,
        password_hash: &user.password_hash,
    };
    let new_session = new_session(&app, now, remember, client, None);
    let session = match app.store.change_password(&who, &hash, &new_session).await? {
        LoginOutcome::Done(session) => session,
        LoginOutcome::AccountChanged => return Err(account_changed()),
    };

    let issued = issue(&app, &session, &session.live_token, user.role, now)?;
    let body = SignedInResponse {
        token: issued.token,
        user: user_body(&user),
    };
    let cookies = sign_in_cookies(&app, &headers, &session, issued.cookie, now);
    Ok((cookies, Json(body)).into_response())
}
