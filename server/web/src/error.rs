//! API errors: one [`Problem`] (RFC 9457) for the client, and the cause for the log.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use api_types::problem::{FieldError, MEDIA_TYPE, Problem, ProblemCode, RevocationReason};
use axum::{
    body::Body,
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use store::StoreError;

use crate::{
    current_request,
    passwords::PasswordError,
    tokens::{SigningError, VerifyError},
};

/// An error response.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: ProblemCode,
    detail: Cow<'static, str>,
    reason: Option<RevocationReason>,
    errors: Vec<FieldError>,
    retry_after: Option<Duration>,
    /// The request carried a token that is not accepted.
    token_refused: bool,
    /// A `Set-Cookie` that deletes the refresh token. Only set together with a definite refusal.
    clear_cookie: Option<Box<HeaderValue>>,
    cause: Option<Cause>,
}

/// The reason, only for the log. Travels in the response's extensions to the logging middleware.
#[derive(Clone)]
pub struct Cause(Arc<dyn fmt::Display + Send + Sync>);

impl ApiError {
    pub fn new(code: ProblemCode, detail: &'static str) -> Self {
        Self {
            status: status_of(code),
            code,
            detail: Cow::Borrowed(detail),
            reason: None,
            errors: Vec::new(),
            retry_after: None,
            token_refused: false,
            clear_cookie: None,
            cause: None,
        }
    }

    /// A bearer token is refused (RFC 6750 §3). The response is the same for every reason.
    pub fn invalid_token(cause: impl fmt::Display + Send + Sync + 'static) -> Self {
        Self {
            token_refused: true,
            ..Self::missing_token()
        }
        .with_cause(cause)
    }

    /// The request has no bearer token.
    pub fn missing_token() -> Self {
        Self::new(
            ProblemCode::InvalidToken,
            "The access token is missing or not valid. Refresh the session and send the request again.",
        )
    }

    /// No resource has this path; pages have a not-found page instead.
    pub fn not_found() -> Self {
        Self::new(ProblemCode::NotFound, "There is nothing here. Check the path.")
    }

    /// The resource has no such method. The caller sets `Allow`.
    pub fn method_not_allowed() -> Self {
        Self::new(
            ProblemCode::MethodNotAllowed,
            "This path does not take that method; the Allow header names those it takes.",
        )
    }

    pub fn too_large() -> Self {
        Self::new(
            ProblemCode::PayloadTooLarge,
            "The body is larger than this endpoint accepts.",
        )
    }

    pub fn validation(errors: Vec<FieldError>) -> Self {
        Self {
            errors,
            ..Self::new(
                ProblemCode::ValidationFailed,
                "Some fields need another look; nothing was changed.",
            )
        }
    }

    /// A temporary failure: a retry may succeed. No one is logged out.
    pub fn unavailable(cause: impl fmt::Display + Send + Sync + 'static) -> Self {
        Self {
            retry_after: Some(Duration::from_secs(1)),
            ..Self::new(
                ProblemCode::Unavailable,
                "The server cannot do this at the moment. Sessions are unaffected; try again in a few seconds.",
            )
        }
        .with_cause(cause)
    }

    pub fn busy(cause: impl fmt::Display + Send + Sync + 'static) -> Self {
        Self {
            retry_after: Some(Duration::from_secs(2)),
            ..Self::new(
                ProblemCode::Busy,
                "Many people are signing in at the moment. Try again in a few seconds.",
            )
        }
        .with_cause(cause)
    }

    pub fn internal(cause: impl fmt::Display + Send + Sync + 'static) -> Self {
        Self::new(
            ProblemCode::InternalError,
            "Something went wrong on the server. Try again. If it happens again, report the number of this request.",
        )
        .with_cause(cause)
    }

    pub fn rate_limited(retry_after: Duration) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(
                ProblemCode::RateLimited,
                "There were too many attempts from your network. Wait a little.",
            )
        }
    }

    #[must_use]
    pub fn with_cause(mut self, cause: impl fmt::Display + Send + Sync + 'static) -> Self {
        self.cause = Some(Cause(Arc::new(cause)));
        self
    }

    /// Replaces the detail text.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Adds the field that caused the error.
    #[must_use]
    pub fn with_field(mut self, field: FieldError) -> Self {
        self.errors.push(field);
        self
    }

    #[must_use]
    pub fn with_reason(mut self, reason: RevocationReason) -> Self {
        self.reason = Some(reason);
        self
    }

    /// Says in the challenge that the token was refused (RFC 6750 §3.1), and deletes its cookie from the browser.
    #[must_use]
    pub fn with_token_refused(mut self, clear_cookie: HeaderValue) -> Self {
        self.token_refused = true;
        self.clear_cookie = Some(Box::new(clear_cookie));
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(mut self) -> Response {
        let request_id = current_request::id();
        if self.code == ProblemCode::InternalError
            && let Some(id) = &request_id
        {
            // The number that people report leads to the log line.
            self.detail = Cow::Owned(format!("{} Its number is {id}.", self.detail));
        }
        let problem = Problem {
            kind: self.code.type_uri(),
            title: title_of(self.code).to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.into_owned(),
            code: self.code,
            reason: self.reason,
            errors: self.errors,
            request_id: request_id.map(|id| id.to_string().into()),
        };
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if self.status == StatusCode::UNAUTHORIZED {
            // Required with every 401 (RFC 9110 §15.5.2). The parameter says that a token was refused; without a token
            // there is nothing to report (RFC 6750 §3.1).
            let challenge = if self.token_refused {
                r#"Bearer error="invalid_token""#
            } else {
                "Bearer"
            };
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(after) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
        }
        if let Some(cookie) = self.clear_cookie {
            headers.append(SET_COOKIE, *cookie);
        }
        response.extensions_mut().insert(self.code);
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(cause);
        }
        response
    }
}

impl From<StoreError> for ApiError {
    /// A database error never logs anyone out.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Contended(_) => Self::unavailable(error),
            StoreError::Defect(_) | StoreError::Inconsistent { .. } => Self::internal(error),
        }
    }
}

impl From<PasswordError> for ApiError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::busy(error),
            PasswordError::Memory => Self::unavailable(error),
            PasswordError::Filter(_) | PasswordError::Hash(_) => Self::internal(error),
        }
    }
}

impl From<SigningError> for ApiError {
    fn from(error: SigningError) -> Self {
        match error {
            // The row names a key of a master secret that another node has. This node cannot sign the same token again.
            SigningError::UnknownKey(_) => Self::unavailable(error),
            SigningError::NoKey | SigningError::Jwt(_) => Self::internal(error),
        }
    }
}

impl From<VerifyError> for ApiError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Refused(why) => Self::invalid_token(why),
            VerifyError::Unavailable(_) => Self::unavailable(error),
        }
    }
}

fn status_of(code: ProblemCode) -> StatusCode {
    match code {
        ProblemCode::AmbiguousCookie | ProblemCode::MalformedJson => StatusCode::BAD_REQUEST,
        ProblemCode::AccountDisabled
        | ProblemCode::InvalidCredentials
        | ProblemCode::InvalidToken
        | ProblemCode::RefreshExpired
        | ProblemCode::RefreshInvalid
        | ProblemCode::RefreshMissing
        | ProblemCode::RefreshReused
        | ProblemCode::SessionRevoked => StatusCode::UNAUTHORIZED,
        ProblemCode::CrossSiteRequest | ProblemCode::Forbidden => StatusCode::FORBIDDEN,
        ProblemCode::NotFound => StatusCode::NOT_FOUND,
        ProblemCode::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ProblemCode::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
        ProblemCode::EmailTaken | ProblemCode::RefreshSuperseded => StatusCode::CONFLICT,
        ProblemCode::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ProblemCode::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ProblemCode::MisdirectedRequest => StatusCode::MISDIRECTED_REQUEST,
        ProblemCode::ValidationFailed => StatusCode::UNPROCESSABLE_ENTITY,
        ProblemCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ProblemCode::Busy | ProblemCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ProblemCode::InternalError | ProblemCode::Unknown => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn title_of(code: ProblemCode) -> &'static str {
    match code {
        ProblemCode::AccountDisabled => "The account is disabled",
        ProblemCode::AmbiguousCookie => "Two refresh cookies",
        ProblemCode::Busy => "Busy",
        ProblemCode::CrossSiteRequest => "Not from this site",
        ProblemCode::EmailTaken => "The address has an account",
        ProblemCode::Forbidden => "Not allowed",
        ProblemCode::InternalError | ProblemCode::Unknown => "Something went wrong",
        ProblemCode::InvalidCredentials => "Email or password do not fit",
        ProblemCode::InvalidToken => "No valid access token",
        ProblemCode::MalformedJson => "Not JSON",
        ProblemCode::MethodNotAllowed => "Wrong method",
        ProblemCode::MisdirectedRequest => "Wrong host",
        ProblemCode::NotFound => "Not found",
        ProblemCode::PayloadTooLarge => "Too large",
        ProblemCode::RateLimited => "Too many attempts",
        ProblemCode::RefreshExpired => "The session has expired",
        ProblemCode::RefreshInvalid => "No valid refresh token",
        ProblemCode::RefreshMissing => "Not signed in",
        ProblemCode::RefreshReused => "A used token was presented again",
        ProblemCode::RefreshSuperseded => "A newer token exists",
        ProblemCode::RequestTimeout => "Too slow",
        ProblemCode::SessionRevoked => "The session was ended",
        ProblemCode::Unavailable => "Unavailable",
        ProblemCode::UnsupportedMediaType => "Not application/json",
        ProblemCode::ValidationFailed => "Some fields need another look",
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
