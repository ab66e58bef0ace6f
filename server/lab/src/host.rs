//! Checks for every request on a lab host: the right host, a bounded size and a bounded time.

use std::time::Duration;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::StatusCode,
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use tokio::time::timeout;
use web::{config::Origin, middleware::host::is_for};

use crate::state::Lab;

/// The maximum size of a body, and of what is recorded of it. None of ours is longer.
pub const MAX_BODY: usize = 16 * 1024;

/// The names of a lab host, and the time limit of its requests.
#[derive(Clone)]
struct HostRules {
    origins: Vec<Origin>,
    time_limit: Duration,
}

/// Restricts a host to its own names. Under another name of this machine the browser would send the cookies of the site
/// itself.
pub fn restrict(host: Router, lab: &Lab, origins: &[&Origin]) -> Router {
    let rules = HostRules {
        origins: origins.iter().copied().cloned().collect(),
        time_limit: lab.product.app.config.http.request_timeout,
    };
    host.layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(rules, check))
}

async fn check(State(rules): State<HostRules>, request: Request, next: Next) -> Response {
    let names = |origin: &Origin| is_for(request.headers(), request.uri(), origin);
    if !rules.origins.iter().any(names) {
        return StatusCode::MISDIRECTED_REQUEST.into_response();
    }
    match timeout(rules.time_limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}
