//! What handlers ask of a request.

mod auth_user;
mod json;
mod page;
mod visitor;

pub use auth_user::{Admin, AuthUser, bearer_token};
pub use json::Json;
pub use page::PageOf;
pub use visitor::{Peer, VisitorOf, client_ip};
