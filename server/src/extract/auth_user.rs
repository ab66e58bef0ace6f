//! The bearer of an access token.

use api_types::problem::ProblemCode;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header::AUTHORIZATION, request::Parts},
};
use rotation::{AccessClaims, Role};

use crate::{
    error::ApiError, revocations::Knowledge, security_log::Security, state::AppState, tokens::VerifyError,
};

/// Proof that the request carries a valid access token. A handler that takes it cannot be reached without.
///
/// There is no optional form: a token that is present and wrong is an error, not an anonymous request.
#[derive(Debug, Clone)]
pub struct AuthUser(pub AccessClaims);

/// Proof that the bearer's role is [`Role::Admin`]; 403 for everybody else.
///
/// The token says so, and it may be believed: a change of role ends every session that knew the old one.
#[derive(Debug, Clone)]
pub struct Admin(pub AccessClaims);

/// The token of the `Authorization` header (RFC 6750 §2.1): one header, one scheme, one token.
///
/// # Errors
/// What is wrong with the header, for the log. `Ok(None)` if there is none.
pub fn bearer_token(headers: &HeaderMap) -> Result<Option<&str>, &'static str> {
    let mut values = headers.get_all(AUTHORIZATION).into_iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err("there are two Authorization headers");
    }
    let text = value
        .to_str()
        .map_err(|_| "the Authorization header is not ASCII")?;
    let (scheme, token) = text
        .split_once(' ')
        .ok_or("the Authorization header has no token")?;
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Err("the scheme is not Bearer");
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if token.is_empty() || !token.bytes().all(plain) {
        return Err("the bearer token is not one compact JWS");
    }
    Ok(Some(token))
}

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
        if knows_too_little(state) {
            return Err(ApiError::unavailable("it is not known which sessions have ended"));
        }
        if state.store.is_over(claims.sub, claims.sid).await? {
            return Err(ApiError::invalid_token("its session has ended"));
        }
        state.store.note_use(claims.sid, claims.generation, now);
        Ok(Self(claims))
    }
}

fn report_forgery(state: &AppState, error: &VerifyError) {
    if matches!(error, VerifyError::Refused(why) if why.is_forgery()) {
        state
            .security_log
            .report(Security::ForgedToken { token: "access" });
    }
}

/// Whether this process has lost touch with which sessions ended, and shall refuse rather than guess.
fn knows_too_little(state: &AppState) -> bool {
    if state.revocations.knowledge() == Knowledge::Fresh {
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

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn read(values: &[&str]) -> Result<Option<String>, &'static str> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(
                AUTHORIZATION,
                HeaderValue::from_str(value).expect("a header value"),
            );
        }
        bearer_token(&headers).map(|token| token.map(str::to_owned))
    }

    #[test]
    fn one_header_with_one_token_is_read() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["Bearer a.b.c"]), Ok(Some("a.b.c".into())));
        assert_eq!(read(&["bearer a.b.c"]), Ok(Some("a.b.c".into())));
    }

    #[test]
    fn anything_else_is_an_error_and_not_anonymous() {
        for values in [
            &["Bearer a.b.c", "Bearer a.b.c"][..],
            &["Bearer"],
            &["Bearer "],
            &["Bearer  a.b.c"],
            &["Bearer a.b.c "],
            &["Bearer\ta.b.c"],
            &["Bearer a.b.c, Bearer d.e.f"],
            &["Bearer Bearer a.b.c"],
            &["Basic YTpi"],
            &[""],
        ] {
            assert!(read(values).is_err(), "{values:?}");
        }
    }
}
