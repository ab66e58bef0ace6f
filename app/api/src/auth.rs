//! Bodies of the endpoints under `/api/auth` and of `/api/me`.
//!
//! Types that carry a password or a token print neither: their `Debug` is written by hand.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `POST /api/auth/register`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterRequest {
    pub email: String,
    /// Taken exactly as typed: never trimmed, never normalised.
    pub password: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

/// `POST /api/auth/login`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    pub email: String,
    pub password: String,
    /// `false` on a shared computer: the browser deletes the cookie when it closes, and the session expires after 12
    /// idle hours.
    #[serde(default = "remember_by_default")]
    pub remember: bool,
}

/// The response to a refresh, with the names of RFC 6749 §5.1. It does not contain the refresh token, which travels
/// only in the cookie.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenResponse {
    pub access_token: String,
    pub token_type: TokenType,
    /// Lifetime of the access token in seconds, counted from its `iat`, the second in which it was issued.
    pub expires_in: u64,
}

/// The response to registration and login: a token and its user.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "SignedInFields")]
pub struct SignedInResponse {
    #[serde(flatten)]
    pub token: TokenResponse,
    pub user: User,
}

/// The fields from which [`SignedInResponse`] is deserialised. `flatten` would first read everything into a generic
/// buffer. That would copy the token into memory that is never overwritten, and its code is larger in the browser than
/// that of all other responses.
#[derive(Deserialize)]
struct SignedInFields {
    access_token: String,
    token_type: TokenType,
    expires_in: u64,
    user: User,
}

impl From<SignedInFields> for SignedInResponse {
    fn from(fields: SignedInFields) -> Self {
        Self {
            token: TokenResponse {
                access_token: fields.access_token,
                token_type: fields.token_type,
                expires_in: fields.expires_in,
            },
            user: fields.user,
        }
    }
}

/// How the client presents the access token (RFC 6750 §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenType {
    Bearer,
}

/// An account as its owner sees it: `GET /api/me`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: String,
    pub email: String,
    pub display_name: Option<String>,
    pub role: String,
    /// Seconds since the Unix epoch.
    pub created_at: u64,
}

/// `PATCH /api/me`. An absent field stays unchanged; `null` or an empty name removes it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateMeRequest {
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub display_name: Option<Option<String>>,
}

fn remember_by_default() -> bool {
    true
}

/// Distinguishes an explicit `null` (`Some(None)`) from an absent field (`None`).
#[expect(
    clippy::option_option,
    reason = "absent, null and a name are three things, as in RFC 7396"
)]
fn present<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(value).map(Some)
}

impl fmt::Debug for RegisterRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisterRequest").finish_non_exhaustive()
    }
}

impl fmt::Debug for LoginRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginRequest")
            .field("remember", &self.remember)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenResponse")
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SignedInResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedInResponse")
            .field("user", &self.user.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token_response() -> TokenResponse {
        TokenResponse {
            access_token: "a.b.c".into(),
            token_type: TokenType::Bearer,
            expires_in: 900,
        }
    }

    #[test]
    fn token_response_uses_the_names_of_rfc_6749() {
        let json = serde_json::to_value(token_response()).expect("serialises");
        assert_eq!(
            json,
            serde_json::json!({"access_token": "a.b.c", "token_type": "Bearer", "expires_in": 900})
        );
    }

    #[test]
    fn remember_defaults_to_true() {
        let login: LoginRequest =
            serde_json::from_str(r#"{"email":"a@b.c","password":"p"}"#).expect("parses");
        assert!(login.remember);
    }

    #[test]
    fn an_absent_display_name_is_not_a_removed_one() {
        let absent: UpdateMeRequest = serde_json::from_str("{}").expect("parses");
        let removed: UpdateMeRequest = serde_json::from_str(r#"{"display_name":null}"#).expect("parses");
        assert_eq!(absent.display_name, None);
        assert_eq!(removed.display_name, Some(None));
    }

    #[test]
    fn debug_output_carries_no_secret() {
        let login = LoginRequest {
            email: "ada@example.com".into(),
            password: "hunter2-hunter2".into(),
            remember: true,
        };
        assert!(!format!("{login:?}").contains("hunter2"));
        assert!(!format!("{:?}", token_response()).contains("a.b.c"));
    }
}
