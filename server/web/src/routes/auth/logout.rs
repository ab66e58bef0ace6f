//! `POST /api/auth/logout`

use std::collections::BTreeSet;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header::SET_COOKIE},
    response::{IntoResponse, Response},
};

use super::response::{refresh_token_of, session_of_cookie};
use crate::{
    error::ApiError,
    extract::{RequestClient, bearer_token},
    state::AppState,
    tokens::VerifyError,
};

/// Ends the session: 204, and the cookie is deleted. Idempotent.
///
/// Accepts any refresh token or access token that we signed, including expired or consumed ones: its holder may end the
/// session, and nothing else. A token that is not ours ends nothing, and the browser still deletes it.
///
/// # Errors
/// 503 if the end could not be committed. Then the session continues, and the client must retry.
pub async fn logout_session(
    State(app): State<AppState>,
    headers: HeaderMap,
    RequestClient(client): RequestClient,
) -> Result<Response, ApiError> {
    if let Some(token) = refresh_token_of(&app, &headers)? {
        // The token's session is unknown, so the response must not claim that it has ended.
        app.tokens.ensure_refresh_key(token.expose()).await?;
    }
    let by_cookie = session_of_cookie(&app, &headers)?;
    let bearer = bearer_token(&headers).unwrap_or_default();
    let now = app.clock.now();
    let by_bearer = match bearer {
        Some(token) => match app.tokens.session_of_access(token, now).await {
            Ok(session) => Some(session),
            Err(VerifyError::Refused(_)) => None,
            // The token's session is unknown, so the response must not claim that it has ended.
            Err(error @ VerifyError::Unavailable(_)) => return Err(error.into()),
        },
        None => None,
    };
    let sessions: BTreeSet<_> = by_cookie.into_iter().chain(by_bearer).collect();
    for session in sessions {
        app.store
            .log_out(session, &app.audit_context(client.clone()))
            .await?;
    }
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, app.cookie.clear())]).into_response())
}
