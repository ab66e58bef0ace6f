//! `GET /api/account/events`

use api_types::account::{EventEntry, EventPage};
use axum::extract::State;
use store::{EventId, SecurityEvent};

use crate::{
    accounts::device::name_of,
    error::ApiError,
    extract::{AuthUser, Json, PageQuery},
    state::AppState,
    wire::wire_seconds,
};

/// The events of the bearer's account, newest first, one page at a time: `?before=` an event's id, `?limit=` 1 to 100.
///
/// # Errors
/// 422 if the query is invalid.
pub(super) async fn list_events(
    State(app): State<AppState>,
    AuthUser(claims): AuthUser,
    page: PageQuery,
) -> Result<Json<EventPage>, ApiError> {
    let before: Option<EventId> = page.cursor("before", page.before.as_deref())?;
    let limit = page.limit()?;
    let page = app.store.events_of(claims.sub, before, limit).await?;
    Ok(Json(EventPage {
        events: page.events.into_iter().map(entry).collect(),
        next: page.next.map(|id| id.to_string()),
    }))
}

pub(super) fn entry(event: SecurityEvent) -> EventEntry {
    EventEntry {
        id: event.id.to_string(),
        kind: event.kind,
        at: wire_seconds(event.at),
        session_id: event.session.map(|session| session.to_string()),
        device: event.client.user_agent.as_deref().map(name_of),
        ip: event.client.ip,
        count: event.count,
        actor: event.actor,
    }
}
