//! A model checker over the rotation: tabs, a thief, a bad network, crashes and clocks, in every order.
//!
//! The server of the model asks the real `rotation::decide`.

mod browser;
mod designs;
mod gaps;
mod guard;
mod guards;
mod judge;
mod model;
mod observer;
mod property;
mod scenario;
mod server;
mod state;
mod trace;

mod invariants;
