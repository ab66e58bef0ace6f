//! `/.well-known/jwks.json`: the public halves of the keys that sign access tokens (RFC 7517).

use api_types::paths;
use axum::{
    Router,
    extract::State,
    http::{
        HeaderName,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::get,
};

use crate::{extract::Json, state::AppState, tokens::keys::JWKS_MAX_AGE};

/// The keys are public: a page of another origin may read them.
const ANY_ORIGIN: [(HeaderName, &str); 2] = [
    (HeaderName::from_static("access-control-allow-origin"), "*"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "cross-origin",
    ),
];

pub(super) fn router() -> Router<AppState> {
    Router::new().route(paths::JWKS, get(get_jwks))
}

async fn get_jwks(State(app): State<AppState>) -> Response {
    // A new key signs only after every cached copy of this response has expired.
    let cache = format!("public, max-age={}", JWKS_MAX_AGE.as_secs());
    let headers = [
        (CACHE_CONTROL, cache.as_str()),
        (CONTENT_TYPE, "application/jwk-set+json"),
    ];
    let keys = app.tokens.key_ring().jwks(app.clock.now());
    let body = Json(keys).into_response().into_body();
    (headers, ANY_ORIGIN, body).into_response()
}
