//! The browser's session manager, without the browser.
//!
//! # Layout
//! - [`manager`] the public handle: sign in, sign out, send a request with the access token
//! - [`view`] what a page may know about the session
//! - [`ports`] what the manager needs from the outside world: HTTP, a timer, a monotonic clock, randomness
//! - [`error`] what a call can fail with

pub mod error;
pub mod manager;
pub mod ports;
pub mod view;

pub use error::ApiError;
pub use manager::SessionManager;
pub use ports::{ApiRequest, ApiResponse, Clock, Jitter, Method, Ports, Timer, Transport, TransportError};
pub use view::{EndedBecause, SessionView};
