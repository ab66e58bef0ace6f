//! HTTP transport: `fetch`.

use std::time::Duration;

use api_types::header::{REQUESTED_WITH, REQUESTED_WITH_KEYTURN};
use gloo_net::http::{Request, RequestBuilder, Response};
use gloo_timers::callback::Timeout;
use session_client::{ApiRequest, ApiResponse, Method, Transport, TransportError};
use web_sys::{AbortController, RequestCache, RequestCredentials, RequestRedirect};

/// Timeout of a request in milliseconds, until the last byte of its response.
const TIMEOUT_MS: u32 = 15_000;

/// Sends requests to our own origin.
#[derive(Debug)]
pub(crate) struct Fetch;

impl Transport for Fetch {
    fn send(
        &self,
        request: ApiRequest,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<ApiResponse, TransportError>>>> {
        Box::pin(fetch(request))
    }
}

async fn fetch(request: ApiRequest) -> Result<ApiResponse, TransportError> {
    let controller = AbortController::new().map_err(|_| TransportError)?;
    let builder = builder(&request).abort_signal(Some(&controller.signal()));
    let prepared = match request.body {
        Some(body) => builder.header("content-type", "application/json").body(body),
        None => builder.build(),
    };
    // Aborting fails the request as well as the reading of its body. The timeout stays active until both have
    // completed.
    let _timeout = Timeout::new(TIMEOUT_MS, move || controller.abort());
    let response = prepared
        .map_err(|_| TransportError)?
        .send()
        .await
        .map_err(|_| TransportError)?;
    let retry_after = retry_after(&response);
    // A truncated response counts as no response: a partly read token would discard the session.
    let body = response.text().await.map_err(|_| TransportError)?;
    Ok(ApiResponse {
        status: response.status(),
        body,
        retry_after,
    })
}

fn builder(request: &ApiRequest) -> RequestBuilder {
    let builder = match request.method {
        Method::Get => Request::get(&request.path),
        Method::Post => Request::post(&request.path),
        Method::Patch => Request::patch(&request.path),
        Method::Delete => Request::delete(&request.path),
    }
    .credentials(RequestCredentials::SameOrigin)
    .cache(RequestCache::NoStore)
    // A redirect could lead to another origin, and the bearer token must not be sent there.
    .redirect(RequestRedirect::Error)
    .header(REQUESTED_WITH, REQUESTED_WITH_KEYTURN);
    match &request.bearer {
        Some(token) => builder.header("authorization", &format!("Bearer {}", token.expose())),
        None => builder,
    }
}

fn retry_after(response: &Response) -> Option<Duration> {
    seconds(&response.headers().get("retry-after")?)
}

/// Parses `Retry-After` in seconds. It may also be a date (RFC 9110 §10.2.3), which is ignored: it would be compared
/// with a wall clock that may be wrong, and our server does not send one.
fn seconds(value: &str) -> Option<Duration> {
    value.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_a_number_of_seconds_or_nothing() {
        assert_eq!(seconds(" 7 "), Some(Duration::from_secs(7)));
        for value in ["", "-1", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT"] {
            assert_eq!(seconds(value), None, "{value}");
        }
    }
}
