//! `POST /api/auth/refresh`: the core of the product, in the order in which it happens.

use std::time::Duration;

use api_types::problem::{ProblemCode, RevocationReason};
use axum::{
    extract::State,
    http::{HeaderMap, header::SET_COOKIE},
    response::{IntoResponse, Response},
};
use rotation::{Ending, Generation, RefreshClaims};
use store::refresh::{Granted, How, Refreshed};

use super::answer::{carried_token, issue};
use crate::{
    current_request::identify,
    error::ApiError,
    extract::{Json, VisitorOf},
    security_log::{Limit, Security},
    state::{App, AppState},
    tokens::TokenError,
};

/// Exchanges the refresh cookie for an access token and the cookie's successor.
///
/// # Errors
/// 401 with the reason, and the cookie cleared, once the session has definitely ended; 409 if a newer token exists; 503
/// with the cookie untouched if the database is unavailable, or another node signed with a secret that this one lacks.
pub async fn refresh_session(
    State(app): State<AppState>,
    headers: HeaderMap,
    VisitorOf(visitor): VisitorOf,
) -> Result<Response, ApiError> {
    // 1. Read the browser's token. Nothing unsigned passes this step, so nothing unsigned can revoke anything.
    let Some(token) = carried_token(&app, &headers)? else {
        return Err(ApiError::new(
            ProblemCode::RefreshMissing,
            "You are not signed in. Sign in to go on.",
        ));
    };
    let now = app.clock.now();
    app.tokens.meet_refresh_key(token.expose()).await?;
    let claims = app
        .tokens
        .verify_refresh(token.expose(), now)
        .inspect_err(|error| report_forgery(&app, *error))
        .map_err(|error| over(&app, refusal_of(error)))?;
    identify(Some(claims.sub), claims.sid);
    // After the signature check, so that strangers' requests are not counted. The cookie stays, and the client retries.
    app.refresh_limiter
        .attempt(claims.sid)
        .map_err(|wait| too_often(&app, &claims, wait))?;

    // 2. Decide, apply and commit.
    let fresh = app.fresh(now);
    let event = app.new_event(now);
    let refreshed = app
        .store
        .refresh(
            claims.presented(),
            &fresh,
            now,
            &app.config.policy,
            &visitor,
            event,
        )
        .await?;

    metrics::counter!("keyturn_refreshes_total", "verdict" => verdict_of(&refreshed)).increment(1);

    // 3. Respond.
    match refreshed {
        Refreshed::Granted(granted) => {
            if granted.how == How::Recovered {
                note_lost_write(&granted, claims.generation);
            }
            let issued = issue(&app, &granted.session, &granted.leaf, granted.role, now)?;
            Ok(([(SET_COOKIE, issued.cookie)], Json(issued.token)).into_response())
        }
        Refreshed::Stale => Err(ApiError::new(
            ProblemCode::RefreshSuperseded,
            "This token was replaced a moment ago. Ask again with the cookie that you hold now.",
        )),
        Refreshed::Reuse => {
            app.security_log.report(Security::TokenReused {
                session: claims.sid,
                user: claims.sub,
            });
            Err(over(&app, reused()))
        }
        Refreshed::Ended(ending) => Err(over(&app, ended(ending))),
    }
}

/// The label under which a verdict is counted.
fn verdict_of(refreshed: &Refreshed) -> &'static str {
    match refreshed {
        Refreshed::Granted(granted) => match granted.how {
            How::Rotated => "rotated",
            How::Replayed => "replayed",
            How::Recovered => "recovered",
        },
        Refreshed::Stale => "stale",
        Refreshed::Reuse => "reused",
        Refreshed::Ended(_) => "ended",
    }
}

fn report_forgery(app: &App, error: TokenError) {
    if error.is_forgery() {
        app.security_log
            .report(Security::ForgedToken { token: "refresh" });
    }
}

/// This says nothing about the session: it continues.
fn too_often(app: &App, claims: &RefreshClaims, wait: Duration) -> ApiError {
    app.security_log.report(Security::LimitHit {
        limit: Limit::Refresh,
        user: Some(claims.sub),
    });
    ApiError::rate_limited(wait + Duration::from_secs(1)).with_detail(
        "This session was refreshed very often in the last minute. You are still signed in; the page goes on by itself in \
         a few seconds.",
    )
}

/// Reports to operators that the database lost a commit. The session's owner need not do anything.
fn note_lost_write(granted: &Granted, presented: Generation) {
    metrics::counter!("keyturn_lost_writes_recovered_total").increment(1);
    tracing::warn!(
        session = %granted.session.id,
        row_generation = granted.session.leaf.generation.number(),
        presented_generation = presented.number(),
        "lost write recovered: a refresh token was newer than its session in the database",
    );
}

/// Adds a cleared cookie to a definite verdict.
fn over(app: &App, error: ApiError) -> ApiError {
    error.clearing(app.cookie.clear())
}

fn refusal_of(error: TokenError) -> ApiError {
    match error {
        TokenError::Expired => expired(),
        TokenError::Invalid(cause) => ApiError::new(
            ProblemCode::RefreshInvalid,
            "Your session can no longer be read. Sign in again.",
        )
        .because(cause),
    }
}

fn reused() -> ApiError {
    ApiError::new(
        ProblemCode::RefreshReused,
        "A used token was presented again, so this session was ended to be safe. Sign in again.",
    )
}

fn ended(ending: Ending) -> ApiError {
    match ending {
        Ending::Expired => expired(),
        Ending::UserDisabled => ApiError::new(
            ProblemCode::AccountDisabled,
            "This account is disabled. Ask the operator of this site.",
        ),
        // Never existed, deleted with its account, or created after the backup that was restored.
        Ending::Unknown => unknown(),
        Ending::EpochBehind => revoked(RevocationReason::LogoutAll),
        Ending::Revoked(reason) => revoked(reason_on_the_wire(reason)),
    }
}

fn expired() -> ApiError {
    ApiError::new(
        ProblemCode::RefreshExpired,
        "You were away for so long that your session ended. Sign in again.",
    )
}

fn unknown() -> ApiError {
    ApiError::new(
        ProblemCode::SessionRevoked,
        "The server does not know this session. Sign in again.",
    )
    .with_reason(RevocationReason::Unknown)
}

fn revoked(reason: RevocationReason) -> ApiError {
    ApiError::new(
        ProblemCode::SessionRevoked,
        "This session was ended. Sign in again.",
    )
    .with_reason(reason)
}

/// The domain and the wire each have a type; the compiler keeps them in sync.
fn reason_on_the_wire(reason: rotation::EndReason) -> RevocationReason {
    match reason {
        rotation::EndReason::Logout => RevocationReason::Logout,
        rotation::EndReason::LogoutAll => RevocationReason::LogoutAll,
        rotation::EndReason::PasswordChanged => RevocationReason::PasswordChanged,
        rotation::EndReason::ReuseDetected => RevocationReason::ReuseDetected,
        rotation::EndReason::RevokedByUser => RevocationReason::RevokedByUser,
        rotation::EndReason::RevokedByOperator => RevocationReason::RevokedByOperator,
        rotation::EndReason::Replaced => RevocationReason::Replaced,
        rotation::EndReason::Deleted => RevocationReason::Deleted,
        rotation::EndReason::SessionLimit => RevocationReason::SessionLimit,
        rotation::EndReason::Unknown => RevocationReason::Unknown,
    }
}
