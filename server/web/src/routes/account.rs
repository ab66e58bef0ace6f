//! `/api/account`: a person's changes to their own account, and its timeline.

mod alarm;
mod delete;
mod events;
mod password;
mod reauthenticate;

use api_types::paths;
use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{delete, get, post},
};

use crate::{middleware::rate_limit::limit_attempts, state::AppState};

pub(super) fn router(state: &AppState) -> Router<AppState> {
    let with_password = Router::new()
        .route(paths::ACCOUNT, delete(delete::delete_account))
        .route(paths::ACCOUNT_PASSWORD, post(password::change_password))
        .route_layer(from_fn_with_state(state.clone(), limit_attempts));
    let by_bearer = Router::new()
        .route(paths::ACCOUNT_EVENTS, get(events::list_events))
        .route(
            paths::ACCOUNT_ALARM,
            get(alarm::show_alarm).post(alarm::mark_seen),
        );
    with_password.merge(by_bearer)
}
