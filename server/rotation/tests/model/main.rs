//! A model checker for refresh token rotation: tabs, an attacker, a bad network, crashes and clocks, in every order.
//!
//! The server in the model calls the real `rotation::decide`.
//!
//! - `invariants.rs`: with all guards in place every invariant holds in every scenario (`property.rs`, `scenario.rs`)
//! - `guards.rs`: without a guard (`guard.rs`) the invariant that depends on it fails
//! - `gaps.rs`: what the design does not guarantee, and what would fix it
//! - `designs.rs`: what other designs get wrong
//! - the world: `state.rs`; the possible actions: `model.rs`; their effects: `server.rs`, `judge.rs`, `browser.rs`,
//!   `endpoint.rs`; the invariant checks: `observer.rs`
//! - `stories/`: the recorded counterexamples, written by `trace.rs`
//!
//! # Assumptions
//! - Where the user must stay signed in, no request or response of the browser is in flight for longer than the grace
//!   period. No response arrives after one with a newer token. `gaps.rs` shows what happens otherwise.
//! - The attacker has a perfect network and receives every response immediately.
//! - Time passes in few sizes: nothing, a minute (more than the grace period), four days, and clock steps of an hour.
//! - Pending confirmations are written before a minute has passed.

mod browser;
mod designs;
mod endpoint;
mod gaps;
mod guard;
mod guards;
mod invariants;
mod judge;
mod model;
mod observer;
mod property;
mod scenario;
mod server;
mod state;
mod trace;
