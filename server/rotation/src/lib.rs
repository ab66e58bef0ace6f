//! The pure core of Keyturn: when a refresh token rotates, and what happens when it does not.
//!
//! # Layout
//! - [`mod@decide`] the state machine: one presented token and one session row give one [`Decision`]
//! - [`session`] a session as stored in the database
//! - [`claims`] the claims of both kinds of token: issuing and checking
//! - [`policy`] lifetimes and the grace period
//! - [`designs`] four other rotation designs, for the lab and the model checker
//! - [`clock`], [`ids`], [`secret`] time as a parameter, typed ids, token texts that `Debug` does not print
//!
//! # Invariants
//! - No IO, no async, no framework, no clock and no source of randomness: the server and the simulator in the browser
//!   decide with the same code.
//! - The integer [`Generation`] orders the tokens of a session, never time. Two rotations in the same millisecond, a
//!   restart or a clock step change no decision.
//! - A refusal that must be recorded is a [`Decision`], not an error, so that no error path can roll it back.
//! - This crate does not know how signatures are made. Claims arrive here only after their signature was verified.

pub mod claims;
pub mod clock;
pub mod decide;
#[cfg(feature = "designs")]
pub mod designs;
pub mod ids;
pub mod policy;
pub mod secret;
pub mod session;

pub use claims::{AccessClaims, ClaimError, RefreshClaims};
pub use clock::{Clock, ManualClock, Timestamp};
pub use decide::{Decision, Ending, Fresh, Presented, Situation, Successor, decide};
pub use ids::{Generation, Jti, KeyId, SessionId, UserId};
pub use policy::{Lifetimes, Policy, PolicyError};
pub use secret::SignedToken;
pub use session::{EndReason, Ended, Leaf, Owner, Role, Session};
