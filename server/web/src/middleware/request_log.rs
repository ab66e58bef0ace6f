//! Request log: one line per request with status, duration, account and client address. The request's span adds its
//! method, route and id. The line contains no query and no body, and only the end of account and session ids. The only
//! header is a `Host` that is not ours, because without it a wrong proxy configuration is hard to find.

use std::fmt;

use api_types::problem::ProblemCode;
use axum::{extract::Request, middleware::Next, response::Response};
use tokio::time::Instant;
use tracing::{Level, event};

use crate::{current_request, error::Cause, extract::ClientAddress, log_value::OrDash};

/// Logs the response and, once, the reason for a refusal.
pub async fn log_request(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let client = request
        .extensions()
        .get::<ClientAddress>()
        .map(|address| address.0.to_string())
        .unwrap_or_default();

    let response = next.run(request).await;

    let identity = current_request::identity();
    let (user, session) = (
        OrDash(identity.user.map(end_of)),
        OrDash(identity.session.map(end_of)),
    );
    let status = response.status().as_u16();
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
        event!(Level::ERROR, status, micros, client, %user, %session, code, cause, "request failed");
    } else if !code.is_empty() {
        event!(Level::INFO, status, micros, client, %user, %session, code, cause, "request refused");
    } else {
        event!(Level::DEBUG, status, micros, client, %user, %session, "request answered");
    }
    response
}

/// The random part of an id: enough to find it in the output of `keyturn sessions list`.
fn end_of(id: impl fmt::Display) -> String {
    let id = id.to_string();
    id[id.len().saturating_sub(12)..].to_owned()
}
