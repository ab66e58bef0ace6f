//! The API: which handler answers which path, and the middleware in front of it.
//!
//! # Layout
//! - [`auth`] registration, sign-in, refresh, sign-out
//! - [`me`] the profile; [`sessions`] the list of sessions; [`account`] password, deletion, timeline
//! - [`admin`] account administration
//! - [`csp_report`] reports of what browsers blocked
//! - [`well_known`], [`health`] public keys for everyone, health checks for operators

pub mod account;
pub mod admin;
pub mod auth;
pub mod csp_report;
pub mod health;
pub mod me;
pub mod sessions;
#[cfg(feature = "test-clock")]
pub mod test_clock;
pub mod well_known;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::header::CONTENT_LENGTH,
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::any,
};
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    error::ApiError,
    middleware::{client_address, cross_site, host, request_id, request_log, security_headers},
    pages,
    state::AppState,
};

/// The API and the pages, and `more` routes behind the same middleware.
pub fn router(state: AppState, more: Router<AppState>) -> Router {
    let everything = api(&state)
        .merge(more)
        .merge(pages::router(&state))
        .route("/api", any(not_found))
        .route("/api/", any(not_found))
        .route("/api/{*rest}", any(not_found));
    with_middleware(everything, state)
}

/// The API without the pages, and `more` routes behind the same middleware.
pub fn api_router(state: AppState, more: Router<AppState>) -> Router {
    let everything = api(&state).merge(more).fallback(not_found);
    with_middleware(everything, state)
}

fn api(state: &AppState) -> Router<AppState> {
    let api = Router::new()
        .merge(auth::router(state))
        .merge(me::router())
        .merge(sessions::router())
        .merge(account::router(state))
        .merge(admin::router())
        .merge(health::router())
        .merge(csp_report::router(state))
        .merge(well_known::router());
    #[cfg(feature = "test-clock")]
    let api = api.merge(test_clock::router());
    api
}

fn with_middleware(everything: Router<AppState>, state: AppState) -> Router {
    everything
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(state.config.limits.body_bytes))
        .layer(from_fn_with_state(state.clone(), limit_time))
        .layer(from_fn_with_state(state.clone(), refuse_oversize))
        .layer(from_fn_with_state(state.clone(), pages::redirect_trailing_slash))
        .layer(from_fn_with_state(state.clone(), cross_site::guard_cross_site))
        .layer(from_fn_with_state(state.clone(), host::check_host))
        .layer(CatchPanicLayer::custom(|_| {
            ApiError::internal("a handler panicked").into_response()
        }))
        .layer(from_fn_with_state(
            state.clone(),
            security_headers::add_security_headers,
        ))
        .layer(from_fn(request_log::log_request))
        .layer(from_fn_with_state(
            state.clone(),
            client_address::resolve_client_address,
        ))
        .layer(request_id::request_spans())
        .layer(from_fn_with_state(state.clone(), request_id::identify_request))
        .with_state(state)
}

/// The response for unknown paths under `/api`; pages have a separate not-found page.
async fn not_found() -> ApiError {
    ApiError::not_found()
}

async fn method_not_allowed() -> ApiError {
    ApiError::method_not_allowed()
}

/// Refuses a body by its announced length, before any of it is read, even where no body is expected.
async fn refuse_oversize(
    axum::extract::State(state): axum::extract::State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > state.config.limits.body_bytes) {
        return ApiError::too_large().into_response();
    }
    next.run(request).await
}

/// Bounds the total time of a request. Slow bodies are aborted earlier (see [`crate::extract::Json`]), so a time-out
/// here is the server's fault: a database that neither answers nor fails.
async fn limit_time(
    axum::extract::State(state): axum::extract::State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    match tokio::time::timeout(state.config.http.request_timeout, next.run(request)).await {
        Ok(response) => response,
        Err(elapsed) => ApiError::unavailable(elapsed).into_response(),
    }
}
