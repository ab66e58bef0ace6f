//! Request log: one line per request with method, route, status, account and client address. It logs routes instead of
//! paths, because a path can contain what a user typed. It logs no query and no body, and only the end of account and
//! session ids. The only header is a `Host` that is not ours, because without it a wrong proxy configuration is hard to
//! find.

use std::fmt;

use api_types::problem::ProblemCode;
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use tokio::time::Instant;
use tracing::{Level, event};

use crate::{
    current_request::{self, RequestId},
    error::Cause,
    extract::ClientAddress,
    shown::Shown,
    state::AppState,
};

/// The header that names the request in the log.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Logs the response and, once, the reason for a refusal. The response carries the id under which it is logged.
pub async fn log_request(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map(|path| path.as_str().to_owned());
    let id = RequestId::new(app.random.bytes());
    let client = request
        .extensions()
        .get::<ClientAddress>()
        .map(|address| address.0.to_string())
        .unwrap_or_default();

    let (mut response, identity) = current_request::run(id, next.run(request)).await;
    let (user, session) = (
        Shown(identity.user.map(end_of)),
        Shown(identity.session.map(end_of)),
    );

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
    let request_id = id.to_string();
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    if response.status().is_server_error() {
        event!(Level::ERROR, request_id, %method, route, status, micros, client, %user, %session, code, cause, "request failed");
    } else if !code.is_empty() {
        event!(Level::INFO, request_id, %method, route, status, micros, client, %user, %session, code, cause, "request refused");
    } else {
        event!(Level::DEBUG, request_id, %method, route, status, micros, client, %user, %session, "request answered");
    }
    if let Ok(id) = HeaderValue::try_from(request_id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// The random part of an id: enough to find it in the output of `keyturn sessions list`.
fn end_of(id: impl fmt::Display) -> String {
    let id = id.to_string();
    id[id.len().saturating_sub(12)..].to_owned()
}
