//! `/api/auth`: registration, sign-in, refresh, sign-out.

mod response;
pub(crate) use response::{issue, new_session, sign_in_cookies, user_body};
pub mod login;
pub mod logout;
pub mod logout_all;
pub mod refresh;
pub mod register;
pub mod session;

use api_types::paths;
use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{get, post},
};

use crate::{
    middleware::{cross_site::require_custom_header, rate_limit::limit_attempts},
    state::AppState,
};

pub(super) fn router(state: &AppState) -> Router<AppState> {
    let attempts = Router::new()
        .route(paths::REGISTER, post(register::register_user))
        .route(paths::LOGIN, post(login::login_user))
        .route_layer(from_fn_with_state(state.clone(), limit_attempts));
    let by_cookie = Router::new()
        .route(paths::REFRESH, post(refresh::refresh_session))
        .route(paths::LOGOUT, post(logout::logout_session))
        .route_layer(from_fn_with_state(state.clone(), require_custom_header));
    let by_bearer = Router::new()
        .route(paths::LOGOUT_ALL, post(logout_all::logout_everywhere))
        .route(paths::SESSION, get(session::get_session));
    attempts.merge(by_cookie).merge(by_bearer)
}
