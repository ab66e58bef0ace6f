//! The product's own parsers, compiled from the files in which they live, without the crate around them: the server takes
//! minutes to build, and these files take seconds.
//!
//! Where such a file names something else of its crate, this crate has a small stand-in of the same name.

#[path = "../../web/src/cookies.rs"]
pub mod cookies;

pub mod config;
pub mod extract;
pub mod strict;
pub mod tokens;

#[path = "../../../app/session/src/json.rs"]
mod client_json;

/// Reads a response as the browser does; `None` if it cannot be read.
pub fn read_response<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    client_json::parse(text).ok()
}

/// The lines of the input as values of one header. A line that no header can hold is left out.
pub fn header_values(data: &[u8]) -> Vec<axum::http::HeaderValue> {
    data.split(|byte| *byte == b'\n')
        .take(8)
        .filter_map(|line| axum::http::HeaderValue::from_bytes(line).ok())
        .collect()
}
