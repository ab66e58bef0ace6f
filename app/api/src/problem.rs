//! Errors on the wire: RFC 9457 problem details with a stable `code`.

use serde::{Deserialize, Serialize};

/// The media type of a problem (RFC 9457 §3).
pub const MEDIA_TYPE: &str = "application/problem+json";

/// One error, for programs (`code`, `reason`, `errors`) and for people (`title`, `detail`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A URI that identifies the kind of problem. It names the code, because `about:blank` would convey only the
    /// status.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    /// What happened and what to do next, in a sentence.
    pub detail: String,
    pub code: ProblemCode,
    /// Why a session ended; only with [`ProblemCode::SessionRevoked`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<RevocationReason>,
    /// One entry for each rejected field; with [`ProblemCode::ValidationFailed`], and for a wrong current password.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// The value of the response's `X-Request-Id`, which also identifies the request in the server's logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Box<str>>,
}

/// A rejected field and the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    pub field: String,
    /// Stable, for programs: `too_short`, `too_common`, …
    pub code: String,
    /// For people: what is wrong and what would be right.
    pub message: String,
}

/// Why a session was revoked. Part of the contract: clients show the reason to users in plain words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationReason {
    Logout,
    LogoutAll,
    PasswordChanged,
    ReuseDetected,
    RevokedByUser,
    RevokedByOperator,
    Replaced,
    Deleted,
    SessionLimit,
    /// The server does not know the session: its account was deleted, or an older backup was restored.
    Unknown,
}

/// The stable code of a problem.
///
/// A client that receives an unknown code reads it as [`ProblemCode::Unknown`] and can still show title and detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    AmbiguousCookie,
    CrossSiteRequest,
    EmailTaken,
    Forbidden,
    InternalError,
    InvalidCredentials,
    InvalidToken,
    MalformedJson,
    MethodNotAllowed,
    MisdirectedRequest,
    NotFound,
    AccountDisabled,
    PayloadTooLarge,
    RateLimited,
    RefreshExpired,
    RefreshInvalid,
    RefreshMissing,
    RefreshReused,
    RefreshSuperseded,
    RequestTimeout,
    SessionRevoked,
    Busy,
    Unavailable,
    UnsupportedMediaType,
    ValidationFailed,
    /// Never sent; represents any code that this version does not know.
    #[serde(other)]
    Unknown,
}

impl ProblemCode {
    /// The URI of this kind of problem. It is relative, because every deployment documents its own problems.
    pub fn type_uri(self) -> String {
        format!("/problems/{}", self.as_str())
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccountDisabled => "account_disabled",
            Self::AmbiguousCookie => "ambiguous_cookie",
            Self::Busy => "busy",
            Self::CrossSiteRequest => "cross_site_request",
            Self::EmailTaken => "email_taken",
            Self::Forbidden => "forbidden",
            Self::InternalError => "internal_error",
            Self::InvalidCredentials => "invalid_credentials",
            Self::InvalidToken => "invalid_token",
            Self::MalformedJson => "malformed_json",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::MisdirectedRequest => "misdirected_request",
            Self::NotFound => "not_found",
            Self::PayloadTooLarge => "payload_too_large",
            Self::RateLimited => "rate_limited",
            Self::RefreshExpired => "refresh_expired",
            Self::RefreshInvalid => "refresh_invalid",
            Self::RefreshMissing => "refresh_missing",
            Self::RefreshReused => "refresh_reused",
            Self::RefreshSuperseded => "refresh_superseded",
            Self::RequestTimeout => "request_timeout",
            Self::SessionRevoked => "session_revoked",
            Self::Unavailable => "unavailable",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::ValidationFailed => "validation_failed",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_written_name_is_the_serialised_name() {
        for code in [
            ProblemCode::AccountDisabled,
            ProblemCode::AmbiguousCookie,
            ProblemCode::CrossSiteRequest,
            ProblemCode::EmailTaken,
            ProblemCode::InvalidCredentials,
            ProblemCode::RefreshReused,
            ProblemCode::RefreshSuperseded,
            ProblemCode::SessionRevoked,
            ProblemCode::UnsupportedMediaType,
            ProblemCode::ValidationFailed,
        ] {
            let json = serde_json::to_string(&code).expect("serialises");
            assert_eq!(json, format!("\"{}\"", code.as_str()));
        }
    }

    #[test]
    fn an_unknown_code_parses_as_unknown() {
        let code: ProblemCode = serde_json::from_str("\"quantum_mismatch\"").expect("parses");
        assert_eq!(code, ProblemCode::Unknown);
    }
}
