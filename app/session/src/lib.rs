#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod account;
mod admin;
mod breaker;
mod client;
mod driver;
pub mod error;
mod event;
mod http;
pub mod inspect;
mod json;
pub mod manager;
pub mod ports;
mod queue;
mod refresh_response;
mod renew;
pub mod request_log;
pub mod schedule;
mod shared;
mod state;
pub mod tab_message;
pub mod token;
pub mod view;

pub use error::ApiError;
pub use inspect::{Claim, ClaimValue, TokenContent};
pub use manager::SessionManager;
pub use ports::{
    ApiRequest, ApiResponse, BrowserEvent, BrowserEvents, Clock, Jitter, LockGuard, LockName, Method, Ports,
    SignOutMarker, SingleTab, TabChannel, TabLock, Timer, Transport, TransportError,
};
pub use request_log::RequestLog;
pub use tab_message::TabMessage;
pub use token::AccessToken;
pub use view::{SessionView, SignedOutReason};
