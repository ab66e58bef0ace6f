//! Extractors: what handlers read from a request.

mod auth_user;
mod bearer;
mod client_address;
mod json;
mod json_body;
pub mod media_type;
mod page;
mod request_client;

pub use auth_user::{Admin, AuthUser};
pub use bearer::bearer_token;
pub use client_address::{ClientAddress, Peer, ProxyWarnings, client_ip, resolve};
pub use json::Json;
pub(crate) use json::read_body;
pub use page::PageQuery;
pub use request_client::RequestClient;
