//! Wire types: everything that the browser and the server must agree on, and nothing else.
//!
//! # Layout
//! - [`auth`] bodies of registration, login, refresh and the profile
//! - [`account`] bodies of the account area; [`admin`] bodies of the administrators' endpoints
//! - [`session`] session details for the bearer of an access token
//! - [`problem`] errors as RFC 9457 problem details with a stable `code`
//! - [`paths`] the paths of the API, used by the router, the client and the tests
//! - [`header`] names of headers that both sides use
//!
//! # Invariants
//! - Depends on serde alone: this crate is part of the WASM that every visitor downloads.
//! - Does not know the content of any token. An access token is an opaque string here (RFC 6749 §1.4).
//! - Times are seconds since the Unix epoch, durations are seconds (`u64`). Ids are strings.

pub mod account;
pub mod admin;
pub mod auth;
pub mod header;
pub mod paths;
pub mod problem;
pub mod session;
