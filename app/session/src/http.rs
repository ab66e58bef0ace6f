//! Requests and responses as the manager sees them: small values that a fake can construct.

use std::{fmt, time::Duration};

use api_types::problem::{Problem, ProblemCode};
use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroize;

use crate::{AccessToken, ApiError, json};

/// The methods that the API uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates, or performs an action.
    Post,
    /// Changes parts of a resource.
    Patch,
    /// Removes.
    Delete,
}

impl Method {
    /// The name in the request line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// One request to our own origin. The browser adds the cookies automatically; the manager adds the access token.
#[derive(Clone)]
pub struct ApiRequest {
    /// The method.
    pub method: Method,
    /// A path of `api_types::paths`, never a full URL: a token must not be sent to another origin.
    pub path: String,
    /// A JSON body.
    pub body: Option<String>,
    /// Sent as `Authorization: Bearer …` (RFC 6750 §2.1). Callers leave it empty; the manager sets it.
    pub bearer: Option<AccessToken>,
}

/// One response.
#[derive(Clone)]
pub struct ApiResponse {
    /// The HTTP status.
    pub status: u16,
    /// The whole body; empty if there was none.
    pub body: String,
    /// The `Retry-After` header, if it is a number of seconds.
    pub retry_after: Option<Duration>,
}

impl ApiRequest {
    /// A request without a body.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            body: None,
            bearer: None,
        }
    }

    /// Adds a JSON body to the request.
    ///
    /// # Panics
    ///
    /// If `body` has a map whose keys are not strings, or a custom `Serialize` that fails. This is a mistake in the
    /// type, not in the data.
    #[must_use]
    pub fn with_json(mut self, body: &impl Serialize) -> Self {
        self.body = Some(serde_json::to_string(body).expect("a request's body can be written as JSON"));
        self
    }

    /// Whether the path stays on this origin. `//host` and `/\host` are full URLs to a browser, which also removes tabs
    /// and line breaks before it parses.
    pub(crate) fn is_same_origin(&self) -> bool {
        self.path.starts_with('/')
            && !self.path.starts_with("//")
            && !self.path.contains(['\\', '\t', '\n', '\r'])
    }
}

impl ApiResponse {
    /// Parses a successful response.
    ///
    /// # Errors
    ///
    /// [`ApiError::Problem`] if the response is a refusal with a reason, [`ApiError::Unexpected`] if it is neither a
    /// refusal nor of the expected form.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        self.success()?;
        json::parse(&self.body).map_err(|_| ApiError::Unexpected { status: self.status })
    }

    /// Requires a successful response, whatever its body.
    ///
    /// # Errors
    ///
    /// As [`ApiResponse::json`].
    pub fn success(&self) -> Result<(), ApiError> {
        if (200..300).contains(&self.status) {
            return Ok(());
        }
        Err(match self.problem() {
            Some(problem) => ApiError::Problem(problem),
            None => ApiError::Unexpected { status: self.status },
        })
    }

    /// Parses a response that contains a token, and overwrites its text.
    pub(crate) fn into_secret_json<T: DeserializeOwned>(mut self) -> Result<T, ApiError> {
        let value = self.json();
        self.body.zeroize();
        value
    }

    /// Whether the server refused the access token and not another part of the request. A wrong current password is a
    /// 401 too, and no other token would fix it.
    pub(crate) fn refuses_token(&self) -> bool {
        self.status == 401
            && self
                .problem()
                .is_none_or(|problem| problem.code != ProblemCode::InvalidCredentials)
    }

    fn problem(&self) -> Option<Problem> {
        json::parse(&self.body).ok()
    }
}

/// Shows the path without its query, because a user's search text does not belong in a log either.
impl fmt::Debug for ApiRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiRequest")
            .field("method", &self.method)
            .field("path", &self.path.split('?').next().unwrap_or_default())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ApiResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiResponse")
            .field("status", &self.status)
            .field("retry_after", &self.retry_after)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_to_other_origins_are_detected() {
        for path in [
            "https://elsewhere.example/",
            "//elsewhere.example",
            "/\\elsewhere.example",
            "/\t/elsewhere.example",
            "api/me",
            "",
        ] {
            assert!(!ApiRequest::new(Method::Get, path).is_same_origin(), "{path}");
        }
        assert!(ApiRequest::new(Method::Get, "/api/me?x=//y").is_same_origin());
    }

    #[test]
    fn debug_output_carries_no_secret() {
        let request = ApiRequest {
            bearer: AccessToken::new("a.secret.token".into()),
            ..ApiRequest::new(Method::Post, "/api/me?token=secret").with_json(&"a secret body")
        };
        let response = ApiResponse {
            status: 200,
            body: "a secret".into(),
            retry_after: None,
        };
        assert!(!format!("{request:?} {response:?}").contains("secret"));
        assert!(format!("{request:?} {response:?}").contains("/api/me"));
    }

    #[test]
    fn a_wrong_password_is_not_a_refused_token() {
        let response = |code: &str| ApiResponse {
            status: 401,
            body: format!(
                r#"{{"type":"/problems/{code}","title":"t","status":401,"detail":"d","code":"{code}"}}"#
            ),
            retry_after: None,
        };
        assert!(response("invalid_token").refuses_token());
        assert!(!response("invalid_credentials").refuses_token());
        let bare = ApiResponse {
            status: 401,
            body: String::new(),
            retry_after: None,
        };
        assert!(bare.refuses_token());
    }
}
