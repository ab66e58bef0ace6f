//! Middleware for every request, from the outside in.
//!
//! - [`request_id`] the id and the span of a request, for all of its log lines
//! - [`client_address`] the client's address behind trusted proxies
//! - [`request_log`] one log line per request, with the cause of a refusal
//! - [`security_headers`] security headers on every response
//! - [`host`] accepts only this server's host
//! - [`cross_site`] refuses state-changing requests from other sites
//! - [`rate_limit`] limits attempts per network

pub mod client_address;
pub mod cross_site;
pub mod host;
pub mod rate_limit;
pub mod request_id;
pub mod request_log;
pub mod security_headers;
