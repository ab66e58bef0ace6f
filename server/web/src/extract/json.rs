//! JSON request and response bodies, with our own error responses.

use std::time::Duration;

use api_types::problem::{FieldError, ProblemCode};
use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_ENCODING, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};

use tokio::time::timeout;

use super::{
    json_body::{self, BodyError},
    media_type,
};
use crate::error::ApiError;

/// How long a body may take to arrive. Shorter than `http.request_timeout`, so that slow clients and slow databases get
/// different responses.
const BODY_TIMEOUT: Duration = Duration::from_secs(8);

/// A JSON body. As an extractor it accepts only `application/json`: a form cannot send that without a preflight (Fetch
/// §2.2.2, CORS-safelisted request headers).
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        // Compressed bodies are not decompressed here, and must not be parsed as plain JSON.
        if !media_type::is_one_of(request.headers(), &["application/json"])
            || request.headers().contains_key(CONTENT_ENCODING)
        {
            return Err(ApiError::new(
                ProblemCode::UnsupportedMediaType,
                "Send the body as JSON, with the header Content-Type: application/json.",
            ));
        }
        let bytes = read_body(request, state).await?;
        parse(&bytes).map(Self)
    }
}

/// Reads the whole body, in time and within the size limit.
///
/// # Errors
/// 408 if it arrives too slowly, 413 if it is too large, 400 if it is incomplete.
pub(crate) async fn read_body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    let body = timeout(BODY_TIMEOUT, Bytes::from_request(request, state))
        .await
        .map_err(|elapsed| {
            ApiError::new(
                ProblemCode::RequestTimeout,
                "The body did not arrive in time. Send it again.",
            )
            .with_cause(elapsed)
        })?;
    body.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            ApiError::too_large()
        } else {
            ApiError::new(
                ProblemCode::MalformedJson,
                "The body ended before it was complete. Send it again.",
            )
            .with_cause(rejection)
        }
    })
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => (
                [(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
                body,
            )
                .into_response(),
            Err(error) => ApiError::internal(error).into_response(),
        }
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    json_body::read_body(bytes).map_err(|error| match error {
        BodyError::Syntax => ApiError::new(
            ProblemCode::MalformedJson,
            "The body is not JSON. Check its syntax and send it again.",
        ),
        BodyError::Shape(field) => wrong_shape(&field),
    })
}

fn wrong_shape(field: &str) -> ApiError {
    let message = "This is missing, not known here, doubled, or of the wrong type.".to_owned();
    ApiError::validation(vec![FieldError {
        field: field.to_owned(),
        code: "wrong_shape".into(),
        message,
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct RegisterLike {}

    #[test]
    fn deep_nesting_is_an_error() {
        let deep = "[".repeat(100_000);
        assert!(parse::<RegisterLike>(deep.as_bytes()).is_err());
    }
}
