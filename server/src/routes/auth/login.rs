//! `POST /api/auth/login`

use api_types::{
    auth::{LoginRequest, SignedInResponse},
    problem::ProblemCode,
};
use axum::{
    extract::State,
    http::{HeaderMap, header::SET_COOKIE},
    response::{IntoResponse, Response},
};
use store::sessions::{Authenticated, Login};

use super::answer::{carried_session, issue, new_session, user_body};
use crate::{
    accounts::{email::Email, password_policy},
    error::ApiError,
    extract::{Json, VisitorOf},
    passwords::Password,
    state::AppState,
};

/// Signs in: 200 with an access token, the user, and the refresh cookie.
///
/// An unknown address, a wrong password and a disabled account get the same answer after the same work.
///
/// # Errors
/// 401 `invalid_credentials`, 503 if too many wait or the database is away.
pub async fn login_user(
    State(app): State<AppState>,
    headers: HeaderMap,
    VisitorOf(visitor): VisitorOf,
    Json(request): Json<LoginRequest>,
) -> Result<Response, ApiError> {
    let replaces = carried_session(&app, &headers)?;
    let LoginRequest {
        email,
        password,
        remember,
    } = request;
    let password = Password::new(password);
    if password_policy::is_longer_than_any(password.expose()) {
        // No account has such a password, and nobody shall order the hashing of a long one.
        return Err(invalid_credentials("the password is longer than any"));
    }

    let user = match Email::parse(&email) {
        Ok(email) => app.store.user_by_email(email.normalised()).await?,
        Err(_) => None,
    };
    let fits = app
        .passwords
        .verify(password, user.as_ref().map(|user| &user.password_hash))
        .await?;
    let Some(user) = user.filter(|_| fits) else {
        return Err(invalid_credentials("unknown address or wrong password"));
    };
    if user.disabled_at.is_some() {
        return Err(invalid_credentials("the account is disabled"));
    }

    let now = app.clock.now();

    let who = Authenticated {
        user: user.id,
        token_epoch: user.token_epoch,
        password_hash: &user.password_hash,
    };
    let new_session = new_session(&app, now, remember, visitor, replaces);
    let session = match app.store.log_in(&who, &new_session).await? {
        Login::Done(session) => session,
        Login::AccountChanged => return Err(invalid_credentials("the account changed during the login")),
    };

    let issued = issue(&app, &session, &session.leaf, user.role, now)?;
    let body = SignedInResponse {
        token: issued.token,
        user: user_body(&user),
    };
    Ok(([(SET_COOKIE, issued.cookie)], Json(body)).into_response())
}

fn invalid_credentials(cause: &'static str) -> ApiError {
    ApiError::new(
        ProblemCode::InvalidCredentials,
        "Email or password do not fit. Check both; a password is taken exactly as typed, spaces and capitals included.",
    )
    .because(cause)
}
