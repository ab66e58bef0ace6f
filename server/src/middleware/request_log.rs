//! One line for each request, with the client's address. Paths appear as routes, never as typed; no body, and of the
//! headers only a `Host` that is not ours, because without it a wrong proxy configuration cannot be found.

use api_types::problem::ProblemCode;
use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use tokio::time::Instant;
use tracing::{Level, event};

use crate::{error::Cause, extract::ClientAddress};

/// Logs the answer and, once, why it was a refusal.
pub async fn log_request(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map(|path| path.as_str().to_owned());
    let client = request
        .extensions()
        .get::<ClientAddress>()
        .map(|address| address.0.to_string())
        .unwrap_or_default();
    let response = next.run(request).await;

    let status = response.status().as_u16();
    let route = route.as_deref().unwrap_or("(none)");
    let code = response
        .extensions()
        .get::<ProblemCode>()
        .map_or("", |code| code.as_str());
    let cause = response
        .extensions()
        .get::<Cause>()
        .map(ToString::to_string)
        .unwrap_or_default();
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    if response.status().is_server_error() {
        event!(Level::ERROR, %method, route, client, status, micros, code, cause, "request failed");
    } else if !code.is_empty() {
        event!(Level::INFO, %method, route, client, status, micros, code, cause, "request refused");
    } else {
        event!(Level::DEBUG, %method, route, client, status, micros, "request answered");
    }
    response
}
