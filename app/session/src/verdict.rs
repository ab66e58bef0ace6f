//! The meaning of a response to `POST /api/auth/refresh`.
//!
//! The important distinction is between *definite* refusals and *everything else*. Only a 401 with a known code ends
//! the session. An overloaded server, a proxy's error page or a captive portal's login form must never sign a user out.

use std::time::Duration;

use api_types::{
    auth::TokenResponse,
    problem::{EndReason, ProblemCode},
};
use serde::{
    Deserialize,
    de::{IntoDeserializer, value::StrDeserializer},
};

use crate::{AccessToken, ApiResponse, EndedBecause, TransportError, json, schedule};

/// A token and its lifetime, counted from the time of the *request*. The server counts from its response, so this is
/// never too long, however long the response took or the laptop slept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) token: AccessToken,
    pub(crate) asked_at: Duration,
    pub(crate) lifetime: Duration,
}

/// Why there is no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The browser sent no cookie. Whether this is expected depends on what this page did before.
    CookieMissing,
    /// The server gave the reason.
    Because(EndedBecause),
}

/// The meaning of one response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Granted(Grant),
    Ended(Ending),
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
struct Refusal {
    code: ProblemCode,
    #[serde(default)]
    reason: Option<String>,
}

impl Grant {
    /// Converts a token response; `None` if its token is malformed.
    pub(crate) fn new(answer: TokenResponse, asked_at: Duration) -> Option<Self> {
        Some(Self {
            token: AccessToken::new(answer.access_token)?,
            asked_at,
            lifetime: schedule::lifetime(answer.expires_in),
        })
    }
}

/// Interprets the response to a refresh that was sent at `asked_at`.
pub(crate) fn of_refresh(answer: Result<ApiResponse, TransportError>, asked_at: Duration) -> Verdict {
    let Ok(answer) = answer else {
        return Verdict::Unreachable { retry_after: None };
    };
    let unreachable = Verdict::Unreachable {
        retry_after: answer.retry_after,
    };
    match answer.status {
        200 => match answer
            .into_secret_json()
            .ok()
            .and_then(|body| Grant::new(body, asked_at))
        {
            Some(grant) => Verdict::Granted(grant),
            None => unreachable,
        },
        401 => refusal(&answer.body)
            .and_then(|refusal| ending(&refusal))
            .map_or(unreachable, Verdict::Ended),
        409 => match refusal(&answer.body) {
            Some(Refusal {
                code: ProblemCode::RefreshSuperseded,
                ..
            }) => Verdict::Superseded,
            _ => unreachable,
        },
        _ => unreachable,
    }
}

fn refusal(body: &str) -> Option<Refusal> {
    json::read(body).ok()
}

fn ending(refusal: &Refusal) -> Option<Ending> {
    Some(Ending::Because(match refusal.code {
        ProblemCode::RefreshMissing => return Some(Ending::CookieMissing),
        ProblemCode::RefreshExpired => EndedBecause::Expired,
        ProblemCode::RefreshInvalid => EndedBecause::Invalid,
        ProblemCode::RefreshReused => EndedBecause::Reused,
        ProblemCode::SessionRevoked => EndedBecause::Revoked(refusal.reason.as_deref().and_then(end_reason)),
        ProblemCode::AccountDisabled => EndedBecause::AccountDisabled,
        _ => return None,
    }))
}

fn end_reason(name: &str) -> Option<EndReason> {
    let name: StrDeserializer<'_, serde::de::value::Error> = name.into_deserializer();
    EndReason::deserialize(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: u16, body: &str) -> Verdict {
        let retry_after = Some(Duration::from_secs(7));
        let answer = ApiResponse {
            status,
            body: body.to_owned(),
            retry_after,
        };
        of_refresh(Ok(answer), Duration::ZERO)
    }

    #[test]
    fn each_definite_refusal_has_its_meaning() {
        use EndedBecause::{AccountDisabled, Expired, Invalid, Reused, Revoked};
        let table = [
            (r#"{"code":"refresh_missing"}"#, Ending::CookieMissing),
            (r#"{"code":"refresh_expired"}"#, Ending::Because(Expired)),
            (r#"{"code":"refresh_invalid"}"#, Ending::Because(Invalid)),
            (r#"{"code":"refresh_reused"}"#, Ending::Because(Reused)),
            (r#"{"code":"account_disabled"}"#, Ending::Because(AccountDisabled)),
            (
                r#"{"code":"session_revoked","reason":"password_changed"}"#,
                Ending::Because(Revoked(Some(EndReason::PasswordChanged))),
            ),
            (r#"{"code":"session_revoked"}"#, Ending::Because(Revoked(None))),
            (
                r#"{"code":"session_revoked","reason":"from_the_future"}"#,
                Ending::Because(Revoked(None)),
            ),
        ];
        for (body, ending) in table {
            assert_eq!(verdict(401, body), Verdict::Ended(ending), "{body}");
        }
    }

    #[test]
    fn nothing_else_ends_a_session() {
        let unreachable = Verdict::Unreachable {
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
            assert_eq!(verdict(status, body), unreachable, "{status} {body}");
        }
        assert_eq!(
            of_refresh(Err(TransportError), Duration::ZERO),
            Verdict::Unreachable { retry_after: None }
        );
    }

    #[test]
    fn a_superseded_token_is_neither() {
        assert_eq!(
            verdict(409, r#"{"code":"refresh_superseded"}"#),
            Verdict::Superseded
        );
    }
}
