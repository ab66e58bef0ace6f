//! The meaning of a response to `POST /api/auth/refresh`.
//!
//! The important distinction is between *definite* refusals and *everything else*. Only a 401 with a known code ends
//! the session. An overloaded server, a proxy's error page or a captive portal's login form must never sign a user out.

use std::time::Duration;

use api_types::{
    auth::TokenResponse,
    problem::{ProblemCode, RevocationReason},
};
use serde::{
    Deserialize,
    de::{IntoDeserializer, value::StrDeserializer},
};

use crate::{AccessToken, ApiResponse, SignedOutReason, TransportError, json, schedule};

/// A token and its lifetime, counted from the time of the *request*. The server counts from its response, so this is
/// never too long, however long the response took or the laptop slept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) token: AccessToken,
    pub(crate) requested_at: Duration,
    pub(crate) lifetime: Duration,
}

/// Why there is no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoSessionCause {
    /// The browser sent no cookie. Whether this is expected depends on what this page did before.
    CookieMissing,
    /// The server gave the reason.
    Reported(SignedOutReason),
}

/// The meaning of one response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RefreshResponse {
    Granted(Grant),
    Ended(NoSessionCause),
    /// Another tab has already replaced the token of this request; the jar now holds a newer one.
    Superseded,
    /// No definite response: retry, but not before `retry_after`.
    Unreachable {
        retry_after: Option<Duration>,
    },
}

/// The relevant part of a problem. `reason` is parsed leniently: an unknown reason must not hide that the session was
/// revoked.
#[derive(Deserialize)]
struct RefusalBody {
    code: ProblemCode,
    #[serde(default)]
    reason: Option<String>,
}

impl Grant {
    /// Converts a token response; `None` if its token is malformed.
    pub(crate) fn new(response: TokenResponse, requested_at: Duration) -> Option<Self> {
        Some(Self {
            token: AccessToken::new(response.access_token)?,
            requested_at,
            lifetime: schedule::lifetime(response.expires_in),
        })
    }
}

/// Interprets the response to a refresh that was sent at `requested_at`.
pub(crate) fn interpret(
    response: Result<ApiResponse, TransportError>,
    requested_at: Duration,
) -> RefreshResponse {
    let Ok(response) = response else {
        return RefreshResponse::Unreachable { retry_after: None };
    };
    let unreachable = RefreshResponse::Unreachable {
        retry_after: response.retry_after,
    };
    match response.status {
        200 => match response
            .into_secret_json()
            .ok()
            .and_then(|body| Grant::new(body, requested_at))
        {
            Some(grant) => RefreshResponse::Granted(grant),
            None => unreachable,
        },
        401 => refusal_body(&response.body)
            .and_then(|refusal| no_session_cause(&refusal))
            .map_or(unreachable, RefreshResponse::Ended),
        409 => match refusal_body(&response.body) {
            Some(RefusalBody {
                code: ProblemCode::RefreshSuperseded,
                ..
            }) => RefreshResponse::Superseded,
            _ => unreachable,
        },
        _ => unreachable,
    }
}

fn refusal_body(body: &str) -> Option<RefusalBody> {
    json::parse(body).ok()
}

fn no_session_cause(refusal: &RefusalBody) -> Option<NoSessionCause> {
    Some(NoSessionCause::Reported(match refusal.code {
        ProblemCode::RefreshMissing => return Some(NoSessionCause::CookieMissing),
        ProblemCode::RefreshExpired => SignedOutReason::Expired,
        ProblemCode::RefreshInvalid => SignedOutReason::Invalid,
        ProblemCode::RefreshReused => SignedOutReason::Reused,
        ProblemCode::SessionRevoked => {
            SignedOutReason::Revoked(refusal.reason.as_deref().and_then(revocation_reason))
        }
        ProblemCode::AccountDisabled => SignedOutReason::AccountDisabled,
        _ => return None,
    }))
}

fn revocation_reason(name: &str) -> Option<RevocationReason> {
    let name: StrDeserializer<'_, serde::de::value::Error> = name.into_deserializer();
    RevocationReason::deserialize(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interpreted(status: u16, body: &str) -> RefreshResponse {
        let retry_after = Some(Duration::from_secs(7));
        let response = ApiResponse {
            status,
            body: body.to_owned(),
            retry_after,
        };
        interpret(Ok(response), Duration::ZERO)
    }

    #[test]
    fn each_definite_refusal_maps_to_its_cause() {
        use SignedOutReason::{AccountDisabled, Expired, Invalid, Reused, Revoked};
        let table = [
            (r#"{"code":"refresh_missing"}"#, NoSessionCause::CookieMissing),
            (r#"{"code":"refresh_expired"}"#, NoSessionCause::Reported(Expired)),
            (r#"{"code":"refresh_invalid"}"#, NoSessionCause::Reported(Invalid)),
            (r#"{"code":"refresh_reused"}"#, NoSessionCause::Reported(Reused)),
            (
                r#"{"code":"account_disabled"}"#,
                NoSessionCause::Reported(AccountDisabled),
            ),
            (
                r#"{"code":"session_revoked","reason":"password_changed"}"#,
                NoSessionCause::Reported(Revoked(Some(RevocationReason::PasswordChanged))),
            ),
            (
                r#"{"code":"session_revoked"}"#,
                NoSessionCause::Reported(Revoked(None)),
            ),
            (
                r#"{"code":"session_revoked","reason":"from_the_future"}"#,
                NoSessionCause::Reported(Revoked(None)),
            ),
        ];
        for (body, cause) in table {
            assert_eq!(interpreted(401, body), RefreshResponse::Ended(cause), "{body}");
        }
    }

    #[test]
    fn nothing_else_ends_a_session() {
        let unreachable = RefreshResponse::Unreachable {
            retry_after: Some(Duration::from_secs(7)),
        };
        for (status, body) in [
            (200, "<html>Welcome to the airport's network</html>"),
            (
                200,
                r#"{"access_token":"a b","token_type":"Bearer","expires_in":900}"#,
            ),
            (400, r#"{"code":"ambiguous_cookie"}"#),
            (401, "<html>proxy authentication</html>"),
            (401, r#"{"code":"from_the_future"}"#),
            (403, r#"{"code":"cross_site_request"}"#),
            (404, ""),
            (409, r#"{"code":"email_taken"}"#),
            (429, r#"{"code":"rate_limited"}"#),
            (500, r#"{"code":"refresh_expired"}"#),
            (503, r#"{"code":"busy"}"#),
        ] {
            assert_eq!(interpreted(status, body), unreachable, "{status} {body}");
        }
        assert_eq!(
            interpret(Err(TransportError), Duration::ZERO),
            RefreshResponse::Unreachable { retry_after: None }
        );
    }

    #[test]
    fn a_superseded_token_is_neither_granted_nor_ended() {
        assert_eq!(
            interpreted(409, r#"{"code":"refresh_superseded"}"#),
            RefreshResponse::Superseded
        );
    }
}
