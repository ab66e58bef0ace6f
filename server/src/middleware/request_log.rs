//! One line for each request: what was asked and answered, by whom and from where. Routes instead of paths, because a path
//! can hold what somebody typed; no query, no body, and of accounts and sessions only the end of the id. Of the headers only
//! a `Host` that is not ours, because without it a wrong proxy configuration cannot be found.

use std::{cell::Cell, fmt};

use api_types::problem::ProblemCode;
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use rotation::{SessionId, UserId};
use tokio::time::Instant;
use tracing::{Level, event};

use crate::{error::Cause, extract::ClientAddress, state::AppState};

/// Names the request for whoever looks for it in the log.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    static IDENTITY: Cell<Identity>;
}

/// Who asked, as far as a token with a valid signature has told.
#[derive(Debug, Clone, Copy, Default)]
struct Identity {
    user: Option<UserId>,
    session: Option<SessionId>,
}

/// Notes whose request this is, for its line in the log. Outside a request it does nothing.
pub(crate) fn identify(user: Option<UserId>, session: SessionId) {
    let known = Identity {
        user,
        session: Some(session),
    };
    let _ = IDENTITY.try_with(|identity| identity.set(known));
}

/// Logs the answer and, once, why it was a refusal. The answer carries the id under which it is logged.
pub async fn log_request(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map(|path| path.as_str().to_owned());
    let request_id = format!("{:016x}", u64::from_be_bytes(app.random.bytes()));
    let client = request
        .extensions()
        .get::<ClientAddress>()
        .map(|address| address.0.to_string())
        .unwrap_or_default();

    let answered = IDENTITY.scope(Cell::default(), async {
        let response = next.run(request).await;
        (response, IDENTITY.with(Cell::get))
    });
    let (mut response, identity) = answered.await;
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

/// The random part of an id: enough to find it by, among those that `keyturn sessions list` shows.
fn end_of(id: impl fmt::Display) -> String {
    let id = id.to_string();
    id[id.len().saturating_sub(12)..].to_owned()
}

/// A value, or a dash where it is not known.
struct Shown<T>(Option<T>);

impl<T: fmt::Display> fmt::Display for Shown<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("-"),
        }
    }
}
