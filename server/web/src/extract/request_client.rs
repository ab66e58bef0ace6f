//! Client information: the address and the browser of a request, as far as they are known.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{header::USER_AGENT, request::Parts},
};
use store::ClientInfo;

use super::client_ip;
use crate::state::AppState;

/// The maximum length of a `User-Agent` that is stored.
const MAX_USER_AGENT: usize = 256;

/// The client's address and browser.
#[derive(Debug, Clone)]
pub struct RequestClient(pub ClientInfo);

impl FromRequestParts<AppState> for RequestClient {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Infallible> {
        let ip = client_ip(parts).map(|ip| ip.to_string());
        let user_agent = parts
            .headers
            .get(USER_AGENT)
            .and_then(|value| value.to_str().ok());
        let user_agent = user_agent.map(|text| text.chars().take(MAX_USER_AGENT).collect());
        Ok(Self(ClientInfo { user_agent, ip }))
    }
}
