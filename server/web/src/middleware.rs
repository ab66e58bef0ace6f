//! What happens to every request, from the outside in.
//!
//! - [`request_log`] one line for each request, with the cause of a refusal
//! - [`security_headers`] what every answer says to browsers
//! - [`host`] the one host that this server answers for
//! - [`cross_site`] nothing that changes anything comes from another site
//! - [`rate_limit`] not too many attempts from one place

pub mod cross_site;
pub mod host;
pub mod rate_limit;
pub mod request_log;
pub mod security_headers;
