//! `POST /api/account/password`

use api_types::{account::ChangePasswordRequest, auth::SignedInResponse, problem::FieldError};
use axum::{
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use store::sessions::{Authenticated, Login};

use super::{account_changed, reauthenticate};
use crate::{
    accounts::{email::Email, password_policy},
    error::ApiError,
    extract::{AuthUser, Json, VisitorOf},
    passwords::Password,
    routes::auth::{issue, new_session, sign_in_cookies, user_body},
    state::AppState,
};

/// Changes the password: every older session ends, and the caller gets a fresh one, answered as a login is.
///
/// # Errors
/// 401 `invalid_credentials` if the current password is wrong, 429 if it was wrong too often, 422 if the new one is refused, 503 if too many wait or the database is away.
pub(super) async fn change_password(
    State(app): State<AppState>,
    headers: HeaderMap,
    AuthUser(claims): AuthUser,
    VisitorOf(visitor): VisitorOf,
    Json(request): Json<ChangePasswordRequest>,
) -> Result<Response, ApiError> {
    let ChangePasswordRequest {
        current_password,
        new_password,
    } = request;
    let unchanged = current_password == new_password;
    let new_password = Password::new(new_password);
    let user = reauthenticate(&app, &claims, Password::new(current_password)).await?;
    judge(
        &new_password,
        &user.email,
        unchanged,
        app.config.passwords.min_length,
    )?;
    let hash = app.passwords.hash(new_password).await?;

    // “Keep me signed in” stays as it was.
    let Some(remember) = app.store.remembers(claims.sid).await? else {
        return Err(account_changed());
    };
    let now = app.clock.now();
    let who = Authenticated {
        user: user.id,
        token_epoch: user.token_epoch,
        password_hash: &user.password_hash,
    };
    let new_session = new_session(&app, now, remember, visitor, None);
    let session = match app.store.change_password(&who, &hash, &new_session).await? {
        Login::Done(session) => session,
        Login::AccountChanged => return Err(account_changed()),
    };

    let issued = issue(&app, &session, &session.leaf, user.role, now)?;
    let body = SignedInResponse {
        token: issued.token,
        user: user_body(&user),
    };
    let cookies = sign_in_cookies(&app, &headers, &session, issued.cookie, now);
    Ok((cookies, Json(body)).into_response())
}

fn judge(password: &Password, email: &str, unchanged: bool, min_length: usize) -> Result<(), ApiError> {
    let refused = if unchanged {
        Some(FieldError {
            field: "new_password".into(),
            code: "unchanged".into(),
            message: "This is the password that you have already. Choose another.".into(),
        })
    } else {
        let judged = match Email::parse(email) {
            Ok(email) => password_policy::check(password.expose(), &email, min_length),
            Err(_) => password_policy::check_alone(password.expose(), min_length),
        };
        judged.err().map(|error| FieldError {
            field: "new_password".into(),
            ..error
        })
    };
    match refused {
        Some(error) => Err(ApiError::validation(vec![error])),
        None => Ok(()),
    }
}
