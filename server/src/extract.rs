//! What handlers ask of a request.

mod auth_user;
mod json;
mod visitor;

pub use auth_user::{AuthUser, bearer_token};
pub use json::Json;
pub use visitor::{Peer, VisitorOf, client_ip};
