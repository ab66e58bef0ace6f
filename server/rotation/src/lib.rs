//! The pure heart of Keyturn: when does a refresh token rotate, and what happens when it does not.
//!
//! # Layout
//! - [`mod@decide`] the state machine: one presented token against one session row gives one [`Decision`]
//! - [`session`] a session as the database remembers it
//! - [`claims`] the claims of both kinds of token, how they are issued and checked
//! - [`policy`] lifetimes and the reuse grace
//! - [`designs`] the same question put to four other designs, for the lab and the model checker
//! - [`clock`], [`ids`], [`secret`] time as a parameter, typed ids, token texts that do not print themselves
//!
//! # Invariants
//! - No IO, no async, no framework, no clock and no randomness of its own: the server decides with this crate, and
//!   so will the simulator in the browser.
//! - Tokens of a session are ordered by their integer [`Generation`], never by time: two rotations in the same
//!   millisecond, a restart or a clock step change no verdict.
//! - A refusal that must leave a trace is a [`Decision`], not an error, so that no error path can roll it back.
//! - Nothing here knows how a signature is made. Claims arrive here only after their signature was verified.

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
