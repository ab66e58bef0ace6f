#![doc = include_str!("../README.md")]
//!
//! # Layout
//! From the outside in:
//! - [`manager`] the public handle: sign in, sign out, send a request with the access token
//! - `client`, `account`, `admin` typed calls on top of it
//! - [`inspect`] what the access token says, for developers; [`traffic`] what went over the wire
//! - [`view`] what a page may know about the session
//! - [`error`] what a call can fail with
//! - [`ports`] what the manager needs from the outside world: HTTP, a timer, a monotonic clock, randomness, and what
//!   several tabs share; [`news`] what they tell each other
//! - `http` requests and answers, `json` how these are read, [`token`] the access token
//! - `state`, `event` the pure state machine: `(Session, Event) -> (Session, Vec<Effect>)`
//! - `verdict` what an answer to a refresh means; [`schedule`], `breaker` when to ask, and when not to
//! - `queue`, `driver`, `renew` the one queue, the future that drains it, one attempt to renew
//! - `shared` what handles and driver share
//!
//! # Invariants
//! - The access token is in this crate's memory and in the `Authorization` header of a request to our own origin; never
//!   in a view, an error, `Debug` output, storage, a log or a URL. [`inspect`] shows what it says without its signature.
//!   The refresh token is not here at all.
//! - At most one request that can change the cookie is under way: sign-in, registration, sign-out and refresh stand in
//!   one queue.
//! - At most one refresh is pending, however many requests wait for it.
//! - Only a definite verdict of the server, or the person, ends a session. No network, no overload and no proxy does, and
//!   no other tab either: what it tells makes this one ask.
//! - While the marker of an unfinished sign-out is there, nothing is refreshed and nobody is shown, in no tab.
//! - No token leaves this tab for another one. With locks or messages missing, late or frozen everything still works.
//! - What was begun under one sign-in never acts under another: every outcome carries the epoch it was begun in.
//! - Every loop is bounded by the server's answers or paced by the clock; no answer whatever makes this crate spin.
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
