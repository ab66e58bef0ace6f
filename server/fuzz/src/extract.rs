//! Request headers and bodies.

use std::net::IpAddr;

use axum::http::HeaderMap;
use serde::de::DeserializeOwned;

use crate::config::TrustedProxies;

#[path = "../../web/src/extract/bearer.rs"]
mod bearer;
#[path = "../../web/src/extract/client_address.rs"]
#[expect(dead_code, reason = "the targets call the resolver below the middleware")]
mod client_address;
#[path = "../../web/src/extract/json_body.rs"]
mod json_body;

pub use bearer::bearer_token;
pub use client_address::ProxyWarnings;

/// Why a body is refused.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 400: it is not JSON.
    Syntax,
    /// 422: it is JSON of another shape.
    Shape,
}

/// Reads a request body.
pub fn read_body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    json_body::read_body(bytes).map_err(|error| match error {
        json_body::BodyError::Syntax => Refusal::Syntax,
        json_body::BodyError::Shape(_) => Refusal::Shape,
    })
}

/// The client's address behind this peer.
pub fn resolve(peer: IpAddr, headers: &HeaderMap, trusted: &TrustedProxies) -> IpAddr {
    client_address::resolve(peer, headers, trusted)
}
