//! `GET` and `PATCH /api/me`: the profile.

use api_types::{
    auth::{UpdateMeRequest, User},
    paths,
};
use axum::{Router, extract::State, routing::get};

use super::auth::user_body;
use crate::{
    accounts::display_name,
    error::ApiError,
    extract::{AuthUser, Json},
    state::AppState,
};

pub(super) fn router() -> Router<AppState> {
    Router::new().route(paths::ME, get(get_me).patch(update_me))
}

/// The bearer's account.
///
/// # Errors
/// 401 if the account was deleted or disabled after the token was issued.
pub async fn get_me(State(app): State<AppState>, AuthUser(claims): AuthUser) -> Result<Json<User>, ApiError> {
    body_of(app.store.user(claims.sub).await?)
}

/// Changes the display name. An absent field stays unchanged.
///
/// # Errors
/// 422 if the name is refused.
pub async fn update_me(
    State(app): State<AppState>,
    AuthUser(claims): AuthUser,
    Json(request): Json<UpdateMeRequest>,
) -> Result<Json<User>, ApiError> {
    let Some(name) = request.display_name else {
        return body_of(app.store.user(claims.sub).await?);
    };
    let name = display_name::parse(name.as_deref().unwrap_or_default())
        .map_err(|error| ApiError::validation(vec![error]))?;
    body_of(app.store.set_display_name(claims.sub, name).await?)
}

fn body_of(user: Option<store::users::User>) -> Result<Json<User>, ApiError> {
    match user {
        Some(user) if user.disabled_at.is_none() => Ok(Json(user_body(&user))),
        Some(_) => Err(ApiError::invalid_token("the account is disabled")),
        None => Err(ApiError::invalid_token("the account is gone or disabled")),
    }
}
