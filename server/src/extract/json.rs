//! JSON in and out, with our own refusals.

use std::time::Duration;

use api_types::problem::{FieldError, ProblemCode};
use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CONTENT_ENCODING, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use serde::{
    Serialize,
    de::{DeserializeOwned, IgnoredAny},
};

use tokio::time::timeout;

use crate::{error::ApiError, routes::too_large};

/// How long a body may take to arrive. Less than `http.request_timeout`, so that slow clients and slow databases get
/// different answers.
const BODY_TIMEOUT: Duration = Duration::from_secs(8);

/// A JSON body. As an extractor it takes `application/json` and nothing else: a form cannot send that without asking
/// first (Fetch §2.2.2, CORS-safelisted request headers).
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        // Compressed bodies are not unpacked here, and must not be taken for what they are not.
        if !is_json(request.headers()) || request.headers().contains_key(CONTENT_ENCODING) {
            return Err(ApiError::new(
                ProblemCode::UnsupportedMediaType,
                "Send the body as JSON, with the header Content-Type: application/json.",
            ));
        }
        let body = timeout(BODY_TIMEOUT, Bytes::from_request(request, state))
            .await
            .map_err(|elapsed| {
                ApiError::new(
                    ProblemCode::RequestTimeout,
                    "The body did not arrive in time. Send it again.",
                )
                .because(elapsed)
            })?;
        let bytes = body.map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                too_large()
            } else {
                ApiError::new(
                    ProblemCode::MalformedJson,
                    "The body ended before it was complete. Send it again.",
                )
                .because(rejection)
            }
        })?;
        parse(&bytes).map(Self)
    }
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

/// Exactly one header, `application/json`, in UTF-8 if it says so (RFC 8259 §8.1).
fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).into_iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let Ok(text) = value.to_str() else {
        return false;
    };
    let mut parts = text.split(';').map(str::trim);
    parts
        .next()
        .is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"))
        && parts.all(|parameter| parameter.eq_ignore_ascii_case("charset=utf-8"))
}

/// Syntax first, then shape: a text that is not JSON is 400 whatever it would have been, and the rest is 422.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let is_json = |text| serde_json::from_str::<IgnoredAny>(text).is_ok();
    if !std::str::from_utf8(bytes).is_ok_and(is_json) {
        return Err(ApiError::new(
            ProblemCode::MalformedJson,
            "The body is not JSON. Check its syntax and send it again.",
        ));
    }
    // serde would also take a struct's members from an array, by their order.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(wrong_shape("body"));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        // The message would name our types; the path names the sender's own field.
        let path = error.path().to_string();
        wrong_shape(if path == "." { "body" } else { &path })
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

    fn accepted(values: &[&'static str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CONTENT_TYPE, HeaderValue::from_static(value));
        }
        is_json(&headers)
    }

    #[test]
    fn only_json_is_json() {
        assert!(accepted(&["application/json"]));
        assert!(accepted(&["Application/JSON; charset=UTF-8"]));
        for values in [
            &[][..],
            &["text/plain"],
            &["application/x-www-form-urlencoded"],
            &["text/plain; application/json"],
            &["application/json; charset=utf-16"],
            &["application/jsonp"],
            &["application/json", "application/json"],
            &["application/json, text/plain"],
        ] {
            assert!(!accepted(values), "{values:?}");
        }
    }

    #[derive(serde::Deserialize)]
    struct RegisterLike {}

    #[test]
    fn deep_nesting_is_an_error_and_no_overflow() {
        let deep = "[".repeat(100_000);
        assert!(parse::<RegisterLike>(deep.as_bytes()).is_err());
    }
}
