//! The bearer of an access token.

use api_types::problem::ProblemCode;
use axum::{extract::FromRequestParts, http::request::Parts};
use rotation::{AccessClaims, Role};

use super::bearer_token;
use crate::{
    current_request::identify, error::ApiError, revocations::Freshness, security_log::SecurityEvent,
    state::AppState, tokens::VerifyError,
};

/// Proof that the request carries a valid access token. A handler with this argument cannot be reached without one.
///
/// There is no optional form: an invalid token is an error, not an anonymous request.
#[derive(Debug, Clone)]
pub struct AuthUser(pub AccessClaims);

/// Proof that the bearer's role is [`Role::Admin`]; 403 for everyone else.
///
/// The role in the token can be trusted: a change of role ends every session that has the old one.
#[derive(Debug, Clone)]
pub struct Admin(pub AccessClaims);

impl FromRequestParts<AppState> for AuthUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let token = bearer_token(&parts.headers)
            .map_err(ApiError::invalid_token)?
            .ok_or_else(ApiError::missing_token)?;
        let now = state.clock.now();
        let claims = state
            .tokens
            .verify_access_or_reload(token, now)
            .await
            .inspect_err(|error| report_forgery(state, error))?;
        identify(Some(claims.sub), claims.sid);
        if refuses_when_stale(state) {
            return Err(ApiError::unavailable("it is not known which sessions have ended"));
        }
        if state.store.is_revoked(claims.sub, claims.sid).await? {
            return Err(ApiError::invalid_token("its session has ended"));
        }
        state
            .store
            .record_confirmation(claims.sid, claims.generation, now);
        Ok(Self(claims))
    }
}

fn report_forgery(state: &AppState, error: &VerifyError) {
    if matches!(error, VerifyError::Refused(why) if why.is_forgery()) {
        state
            .security_log
            .report(SecurityEvent::ForgedToken { token: "access" });
    }
}

/// Whether the revocation cache of this process is stale, so that it must refuse rather than guess.
fn refuses_when_stale(state: &AppState) -> bool {
    if state.revocations.freshness() == Freshness::Fresh {
        return false;
    }
    let refuse = state.config.revocations.refuse_when_stale;
    let answer = if refuse { "refused" } else { "served" };
    metrics::counter!("keyturn_stale_revocations_total", "answer" => answer).increment(1);
    refuse
}

impl FromRequestParts<AppState> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let AuthUser(claims) = AuthUser::from_request_parts(parts, state).await?;
        if claims.role != Role::Admin {
            return Err(ApiError::new(
                ProblemCode::Forbidden,
                "Only administrators may do this. Ask one, or sign in as one.",
            ));
        }
        Ok(Self(claims))
    }
}
