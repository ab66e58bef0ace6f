//! `/api/sessions`: the bearer's sessions.

use api_types::{
    account::{SessionEntry, SessionPage},
    paths,
    problem::ProblemCode,
};
use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header::SET_COOKIE},
    response::{IntoResponse, Response},
    routing::{delete, get},
};
use rotation::{SessionId, Timestamp};
use store::sessions::{LiveSession, SessionCursor};

use crate::{
    accounts::device::name_of,
    error::ApiError,
    extract::{AuthUser, Json, PageQuery, RequestClient},
    state::AppState,
    wire::wire_seconds,
};

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route(paths::SESSIONS, get(list_sessions).delete(revoke_others))
        .route(paths::ONE_SESSION, delete(revoke_one))
}

/// Lists the bearer's active sessions, last used first, one page at a time: `?after=` the cursor from the page before,
/// `?limit=` 1 to 100.
///
/// # Errors
/// 422 if the query is invalid.
async fn list_sessions(
    State(app): State<AppState>,
    AuthUser(claims): AuthUser,
    page: PageQuery,
) -> Result<Json<SessionPage>, ApiError> {
    let after: Option<SessionCursor> = page.cursor("after", page.after.as_deref())?;
    let limit = page.limit()?;
    let now = app.clock.now();
    let list = app.store.live_sessions(claims.sub, after, limit, now).await?;
    let sessions = list.sessions.into_iter();
    Ok(Json(SessionPage {
        sessions: sessions.map(|session| entry(session, claims.sid, now)).collect(),
        next: list.next.map(|next| next.to_string()),
    }))
}

/// Ends one of the bearer's sessions. If it is the current one, the cookie is deleted as well.
async fn revoke_one(
    State(app): State<AppState>,
    AuthUser(claims): AuthUser,
    RequestClient(client): RequestClient,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let id: SessionId = id.parse().map_err(|_| no_such_session())?;
    if !app
        .store
        .revoke_session(claims.sub, id, &app.audit_context(client))
        .await?
    {
        return Err(no_such_session());
    }
    if id == claims.sid {
        return Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, app.cookie.clear())]).into_response());
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Ends all of the bearer's sessions except the current one.
async fn revoke_others(
    State(app): State<AppState>,
    AuthUser(claims): AuthUser,
    RequestClient(client): RequestClient,
) -> Result<StatusCode, ApiError> {
    app.store
        .revoke_other_sessions(claims.sub, claims.sid, &app.audit_context(client))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn entry(session: LiveSession, current: SessionId, now: Timestamp) -> SessionEntry {
    SessionEntry {
        id: session.id.to_string(),
        device: session.client.user_agent.as_deref().map(name_of),
        ip: session.client.ip,
        created_at: wire_seconds(session.created_at),
        last_used_at: wire_seconds(session.last_used_at),
        idle_seconds: session.last_used_at.until(now).as_secs(),
        expires_at: wire_seconds(session.expires_at),
        current: session.id == current,
    }
}

fn no_such_session() -> ApiError {
    ApiError::new(
        ProblemCode::NotFound,
        "You have no such session, or it is over already. Load the list again.",
    )
}
