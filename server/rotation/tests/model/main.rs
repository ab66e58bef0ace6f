//! A model checker over the rotation: tabs, a thief, a bad network, crashes and clocks, in every order.
//!
//! The server of the model asks the real `rotation::decide`.
//!
//! - `invariants.rs`: with all guards in place every invariant holds in every scenario (`property.rs`, `scenario.rs`)
//! - `guards.rs`: without a guard (`guard.rs`) the invariant that it holds up falls
//! - `gaps.rs`: what the design does not keep, and what would mend it
//! - `designs.rs`: what other designs get wrong
//! - the world: `state.rs`, what can happen in it: `model.rs`, and how it goes on: `server.rs`, `judge.rs`,
//!   `browser.rs`, `door.rs`; who watches: `observer.rs`
//! - `stories/`: the counterexamples that are kept, written by `trace.rs`
//!
//! # What is assumed
//! - Where the user must stay signed in, nothing of the browser's is under way for longer than the grace, and no answer
//!   arrives after one that carries a newer token. `gaps.rs` shows what happens otherwise.
//! - The thief has a perfect network, and learns at once what he is answered.
//! - Time passes in few sizes: nothing, a minute (more than the grace), four days, and steps of the clock by an hour.
//! - What is pending is written before a minute has passed.

mod browser;
mod designs;
mod door;
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
