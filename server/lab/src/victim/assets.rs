//! The runner's pages, and the files that they load.

use axum::{
    extract::Path,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{Html, IntoResponse, Response},
};

const PAGE: &str = include_str!("../assets/play.html");

macro_rules! assets {
    ($($file:literal,)*) => { &[$(($file, include_str!(concat!("../assets/", $file))),)*] };
}

/// The files that browsers load, by path.
const ASSETS: &[(&str, &str)] = assets![
    "api.js",
    "play.js",
    "second-tab.js",
    "restart.js",
    "visitor.js",
    "race.js",
    "tab.js",
    "tab-client.js",
    "watch.js",
    "vulnerable.js",
    "clients/token-client.js",
    "clients/cookie-client.js",
    "clients/local-storage.js",
    "clients/session-storage.js",
    "clients/readable-cookie.js",
    "clients/session-cookie.js",
    "clients/memory.js",
    "clients/memory-and-refresh-cookie.js",
];

/// A page that loads this script and nothing else.
pub(super) fn page(script: &str) -> Response {
    (
        [(CACHE_CONTROL, "no-store")],
        Html(PAGE.replace("SCRIPT", script)),
    )
        .into_response()
}

pub(super) async fn asset(Path(file): Path<String>) -> Response {
    match ASSETS.iter().find(|(name, _)| *name == file) {
        Some((_, text)) => (
            [
                (CONTENT_TYPE, "text/javascript; charset=utf-8"),
                (CACHE_CONTROL, "no-store"),
            ],
            *text,
        )
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
