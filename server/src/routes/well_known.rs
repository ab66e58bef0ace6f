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

use crate::{extract::Json, state::AppState};

/// Verifiers may keep the keys for this long.
const CACHE: &str = "public, max-age=300";
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
    let headers = [(CACHE_CONTROL, CACHE), (CONTENT_TYPE, "application/jwk-set+json")];
    let body = Json(app.tokens.key_ring().jwks()).into_response().into_body();
    (headers, ANY_ORIGIN, body).into_response()
}
