#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

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
pub use decide::{Decision, Presented, SessionEnd, SessionSnapshot, Successor, SuccessorParams, decide};
pub use ids::{Generation, Jti, KeyId, SessionId, UserId};
pub use policy::{Lifetimes, Policy, PolicyError};
pub use secret::SignedToken;
pub use session::{AccountState, LiveToken, Revocation, RevocationReason, Role, Session};
