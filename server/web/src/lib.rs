#![doc = include_str!("../README.md")]
// A page is one nested type; its layout for the rendering task nests deeper than the default of 128.
#![recursion_limit = "256"]

pub mod accounts;
pub mod background;
pub mod clock;
pub mod config;
pub mod cookies;
pub mod current_request;
pub mod error;
pub mod extract;
mod guess_guard;
pub mod guesses;
pub mod known_browser;
pub mod limiter;
mod log_value;
pub mod middleware;
pub mod network;
pub mod pages;
pub mod passwords;
pub mod private_files;
pub mod random;
pub mod readiness;
pub mod revocations;
pub mod routes;
pub mod secrets;
pub mod security_log;
pub mod serve;
pub mod site;
pub mod state;
pub mod telemetry;
pub mod tokens;
mod wire;

pub use routes::router;
pub use state::{App, AppState};
