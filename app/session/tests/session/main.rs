//! The manager as a whole, against a server, a timer and a clock that the tests hold in their hands. Nothing here runs
//! by itself and nothing sleeps: a test answers a request when it wants to and moves the clock by how much it wants.

#[path = "../shared/mod.rs"]
#[expect(dead_code, reason = "the tests against the real rotation need the rest")]
mod shared;
mod support;

mod admin;
mod inspect;
mod keep_alive;
mod listeners;
mod ordering;
mod proactive;
mod reconnecting;
mod redaction;
mod send;
mod sign_out;
mod single_flight;
mod tabs;
mod verdicts;
