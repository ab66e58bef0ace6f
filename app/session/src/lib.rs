#![doc = include_str!("../README.md")]
//!
//! # Layout
//! From the outside in:
//! - [`manager`] the public handle: sign in, sign out, send a request with the access token
//! - `client`, `account`, `admin` typed calls on top of it
//! - [`inspect`] the access token's content, for developers; [`traffic`] the log of requests
//! - [`view`] what a page may know about the session
//! - [`error`] errors of a call
//! - [`ports`] what the manager needs from its environment: HTTP, a timer, a monotonic clock, randomness, and what
//!   several tabs share; [`news`] the messages between tabs
//! - `http` requests and responses, `json` their parser, [`token`] the access token
//! - `state`, `event` the pure state machine: `(Session, Event) -> (Session, Vec<Effect>)`
//! - `verdict` the meaning of a refresh response; [`schedule`], `breaker` when to send requests, and when not to
//! - `queue`, `driver`, `renew` the one queue, the future that drains it, one attempt to renew
//! - `shared` what handles and driver share
//!
//! # Invariants
//! - The access token is only in this crate's memory and in the `Authorization` header of a request to our own origin.
//!   It is never in a view, an error, `Debug` output, storage, a log or a URL. [`inspect`] shows its content without
//!   the signature. The refresh token never enters this crate.
//! - At most one request that can change the cookie is under way: sign-in, registration, sign-out and refresh share one
//!   queue.
//! - At most one refresh is pending, however many requests wait for it.
//! - Only a definite refusal by the server, or the user, ends a session. No network failure, overload or proxy does. No
//!   other tab does either: its messages only cause a request to the server.
//! - While the marker of an unfinished sign-out is set, no tab refreshes or shows a user.
//! - No token leaves this tab for another one. Everything works when locks or messages are missing, late or frozen.
//! - A request begun under one sign-in never acts under another: every outcome carries the epoch in which it began.
//! - Every loop is bounded by the server's responses or paced by the clock; no response makes this crate spin.
//! - Time, randomness and HTTP come through [`Ports`]. This crate must not know the browser, Leptos or the wall clock.

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
