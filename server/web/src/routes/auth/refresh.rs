//! `POST /api/auth/refresh`: the core of the product, in the order in which it happens.

use std::time::Duration;

use api_types::problem::{ProblemCode, RevocationReason};
use axum::{
    extract::State,
    http::{HeaderMap, header::SET_COOKIE},
    response::{IntoResponse, Response},
};
use rotation::{Generation, RefreshClaims, SessionEnd};
use store::refresh::{RefreshGrant, RefreshOutcome};

use super::response::{issue, refresh_token_of};
use crate::{
    current_request::identify,
    error::ApiError,
    extract::{Json, RequestClient},
    security_log::{LimitKind, SecurityEvent},
    state::{App, AppState},
    tokens::TokenError,
};

/// Exchanges the refresh cookie for an access token and the cookie's successor.
///
/// # Errors
/// 401 with the reason, and the cookie cleared, once the session has definitely ended; 401 if there is no cookie. In
/// all other cases the cookie stays: 400 if there are two; 409 if the successor of the token was used or consumed only
/// seconds ago; 429 if this session was refreshed too often; 503 if the database is unavailable, or if another node
/// signed with a secret that this one lacks.
pub async fn refresh_session(
    State(app): State<AppState>,
    headers: HeaderMap,
    RequestClient(client): RequestClient,
) -> Result<Response, ApiError> {
    // 1. Read the browser's token. Nothing unsigned passes this step, so nothing unsigned can revoke anything.
    let Some(token) = refresh_token_of(&app, &headers)? else {
        return Err(ApiError::new(
            ProblemCode::RefreshMissing,
            "You are not signed in. Sign in to go on.",
        ));
    };
    let context = app.audit_context(client);
    let now = context.now;
    app.tokens.ensure_refresh_key(token.expose()).await?;
    let claims = app
        .tokens
        .verify_refresh(token.expose(), now)
        .inspect_err(|error| report_forgery(&app, *error))
        .map_err(|error| session_ended(&app, token_problem(error)))?;
    identify(Some(claims.sub), claims.sid);
    // After the signature check, so that requests with a forged token are not counted. The cookie stays, and the client
    // retries.
    app.refresh_limiter
        .attempt(claims.sid)
        .map_err(|wait| rate_limited(&app, &claims, wait))?;

    // 2. Decide, apply and commit.
    let outcome = app
        .store
        .refresh(
            claims.presented(),
            &app.successor_params(now),
            &app.config.policy,
            &context,
        )
        .await?;

    metrics::counter!("keyturn_refreshes_total", "verdict" => label_of(&outcome)).increment(1);

    // 3. Respond.
    let grant = match outcome {
        RefreshOutcome::Rotated(grant) | RefreshOutcome::Replayed(grant) => grant,
        RefreshOutcome::Recovered(grant) => {
            report_lost_write(&grant, claims.generation);
            grant
        }
        RefreshOutcome::Stale => {
            return Err(ApiError::new(
                ProblemCode::RefreshSuperseded,
                "This token was replaced a moment ago. Ask again with the cookie that you hold now.",
            ));
        }
        RefreshOutcome::Reuse => {
            app.security_log.report(SecurityEvent::TokenReused {
                session: claims.sid,
                user: claims.sub,
            });
            return Err(session_ended(&app, reuse_detected()));
        }
        RefreshOutcome::Ended(end) => return Err(session_ended(&app, end_problem(end))),
    };
    let issued = issue(&app, &grant.session, &grant.token, grant.role, now)?;
    Ok(([(SET_COOKIE, issued.cookie)], Json(issued.token)).into_response())
}

/// The outcome's label in the metric.
fn label_of(outcome: &RefreshOutcome) -> &'static str {
    match outcome {
        RefreshOutcome::Rotated(_) => "rotated",
        RefreshOutcome::Replayed(_) => "replayed",
        RefreshOutcome::Recovered(_) => "recovered",
        RefreshOutcome::Stale => "stale",
        RefreshOutcome::Reuse => "reused",
        RefreshOutcome::Ended(_) => "ended",
    }
}

fn report_forgery(app: &App, error: TokenError) {
    if error.is_forgery() {
        app.security_log
            .report(SecurityEvent::ForgedToken { token: "refresh" });
    }
}

/// This says nothing about the session: it continues.
fn rate_limited(app: &App, claims: &RefreshClaims, wait: Duration) -> ApiError {
    app.security_log.report(SecurityEvent::LimitHit {
        limit: LimitKind::Refresh,
        user: Some(claims.sub),
    });
    ApiError::rate_limited(wait + Duration::from_secs(1)).with_detail(
        "This session was refreshed very often in the last minute. You are still signed in; the page goes on by itself in \
         a few seconds.",
    )
}

/// Reports to operators that the database lost a commit. The session's owner need not do anything.
fn report_lost_write(granted: &RefreshGrant, presented: Generation) {
    metrics::counter!("keyturn_lost_writes_recovered_total").increment(1);
    tracing::warn!(
        session = %granted.session.id,
        row_generation = granted.session.live_token.generation.number(),
        presented_generation = presented.number(),
        "lost write recovered: a refresh token was newer than its session in the database",
    );
}

/// Adds the deletion of the cookie to a definite refusal.
fn session_ended(app: &App, error: ApiError) -> ApiError {
    error.with_token_refused(app.cookie.clear())
}

fn token_problem(error: TokenError) -> ApiError {
    match error {
        TokenError::Expired => expired(),
        TokenError::Invalid(cause) => ApiError::new(
            ProblemCode::RefreshInvalid,
            "Your session can no longer be read. Sign in again.",
        )
        .with_cause(cause),
    }
}

fn reuse_detected() -> ApiError {
    ApiError::new(
        ProblemCode::RefreshReused,
        "A used token was presented again, so this session was ended to be safe. Sign in again.",
    )
}

fn end_problem(end: SessionEnd) -> ApiError {
    match end {
        SessionEnd::Expired => expired(),
        SessionEnd::UserDisabled => ApiError::new(
            ProblemCode::AccountDisabled,
            "This account is disabled. Ask the operator of this site.",
        ),
        // Never existed, deleted with its account, or created after the backup that was restored.
        SessionEnd::Unknown => unknown_session(),
        SessionEnd::EpochBehind => session_revoked(RevocationReason::LogoutAll),
        SessionEnd::Revoked(reason) => session_revoked(reason_on_the_wire(reason)),
    }
}

fn expired() -> ApiError {
    ApiError::new(
        ProblemCode::RefreshExpired,
        "You were away for so long that your session ended. Sign in again.",
    )
}

fn unknown_session() -> ApiError {
    ApiError::new(
        ProblemCode::SessionRevoked,
        "The server does not know this session. Sign in again.",
    )
    .with_reason(RevocationReason::Unknown)
}

fn session_revoked(reason: RevocationReason) -> ApiError {
    ApiError::new(
        ProblemCode::SessionRevoked,
        "This session was ended. Sign in again.",
    )
    .with_reason(reason)
}

/// The domain and the wire each have a type; the compiler keeps them in sync.
fn reason_on_the_wire(reason: rotation::RevocationReason) -> RevocationReason {
    match reason {
        rotation::RevocationReason::Logout => RevocationReason::Logout,
        rotation::RevocationReason::LogoutAll => RevocationReason::LogoutAll,
        rotation::RevocationReason::PasswordChanged => RevocationReason::PasswordChanged,
        rotation::RevocationReason::ReuseDetected => RevocationReason::ReuseDetected,
        rotation::RevocationReason::RevokedByUser => RevocationReason::RevokedByUser,
        rotation::RevocationReason::RevokedByOperator => RevocationReason::RevokedByOperator,
        rotation::RevocationReason::Replaced => RevocationReason::Replaced,
        rotation::RevocationReason::Deleted => RevocationReason::Deleted,
        rotation::RevocationReason::SessionLimit => RevocationReason::SessionLimit,
        rotation::RevocationReason::Unknown => RevocationReason::Unknown,
    }
}
