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
pub mod news;
pub mod ports;
mod queue;
mod renew;
pub mod schedule;
mod shared;
mod state;
pub mod token;
pub mod traffic;
mod verdict;
pub mod view;

pub use error::ApiError;
pub use inspect::{Claim, ClaimValue, Inspected};
pub use manager::SessionManager;
pub use news::News;
pub use ports::{
    Alone, ApiRequest, ApiResponse, Clock, Jitter, Method, Ports, Queue, SignOutMarker, TabChannel, TabLock,
    Timer, Transport, TransportError, Turn, Wakeup, Wakeups,
};
pub use token::AccessToken;
pub use traffic::Traffic;
pub use view::{EndedBecause, SessionView};
