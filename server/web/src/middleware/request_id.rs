//! Request ids: gives each request an id and a span, so that every log line of the request carries the id.

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use tower_http::{
    classify::{ServerErrorsAsFailures, SharedClassifier},
    trace::TraceLayer,
};
use tracing::Span;

use crate::{
    config::TrustedProxies,
    current_request::{self, RequestId},
    extract::Peer,
    state::AppState,
};

/// The header that names the request in the log.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The target of the request's span, which [`start_logging`](crate::telemetry::start_logging) always enables.
pub const SPAN_TARGET: &str = "keyturn::request";

/// Gives the request the id of a trusted proxy, or a new one. The response carries the same id.
pub async fn identify_request(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let id = id_of_proxy(&request, &state.config.http.trusted_proxies)
        .unwrap_or_else(|| RequestId::generate(&*state.random));
    request.extensions_mut().insert(id.clone());
    let mut response = current_request::run(id.clone(), next.run(request)).await;
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Runs the request, including its streamed body, inside the request's span.
#[expect(
    clippy::type_complexity,
    reason = "`()` switches off each kind of event of the library"
)]
pub fn request_spans()
-> TraceLayer<SharedClassifier<ServerErrorsAsFailures>, fn(&Request) -> Span, (), (), (), (), ()> {
    TraceLayer::new_for_http()
        .make_span_with(span_of as fn(&Request) -> Span)
        .on_request(())
        .on_response(())
        .on_body_chunk(())
        .on_eos(())
        .on_failure(())
}

/// The span has the route and not the path, because a path can contain what a user typed.
fn span_of(request: &Request) -> Span {
    let extensions = request.extensions();
    let route = extensions
        .get::<MatchedPath>()
        .map_or("(none)", MatchedPath::as_str);
    let request_id = extensions.get::<RequestId>().map(tracing::field::display);
    // The level of errors, so that a line has its span at every level of the filter.
    tracing::error_span!(target: SPAN_TARGET, "request", request_id, method = %request.method(), route)
}

/// Anyone can send the header. Only a trusted proxy replaces what its clients send.
fn id_of_proxy(request: &Request, trusted: &TrustedProxies) -> Option<RequestId> {
    let Peer(peer) = request.extensions().get()?;
    if trusted.contains(peer.ip().to_canonical()) {
        only_value(request.headers()).and_then(RequestId::parse)
    } else {
        None
    }
}

fn only_value(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut values = headers.get_all(REQUEST_ID).into_iter();
    values.next().filter(|_| values.next().is_none())
}
