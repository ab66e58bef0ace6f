//! Refuses requests of a network that sends too many.

use std::time::Duration;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{
    error::ApiError,
    extract::client_ip,
    security_log::{LimitKind, SecurityEvent},
    state::AppState,
};

/// Refuses an attempt from a network that has made too many.
pub async fn limit_attempts(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let ip = client_ip(&parts);
    match state.limiter.attempt(ip) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(wait) => {
            state.security_log.report(SecurityEvent::LimitHit {
                limit: LimitKind::Network,
                user: None,
            });
            // Rounded up: a client that retries exactly on the second must not be too early.
            ApiError::rate_limited(wait + Duration::from_secs(1)).into_response()
        }
    }
}
