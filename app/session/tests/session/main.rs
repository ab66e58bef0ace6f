//! Tests of the whole manager against a server, a timer and a clock that the tests control. Nothing runs automatically
//! and nothing sleeps: a test answers each request explicitly and advances the clock itself.

#[path = "../shared/mod.rs"]
#[expect(dead_code, reason = "the tests against the real rotation need the rest")]
mod shared;
mod support;

mod admin;
mod inspection;
mod keep_alive;
mod listeners;
mod ordering;
mod proactive;
mod reconnecting;
mod redaction;
mod refusals;
mod send;
mod sign_out;
mod single_flight;
mod tabs;
