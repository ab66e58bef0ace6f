//! Keyturn over HTTP: the API and the pages of the product.
//!
//! # Layout
//! - [`routes`] the API, one file per endpoint; [`pages`] the rendered pages and their files
//! - [`middleware`] what applies to every request; [`extract`] what handlers read from one
//! - [`tokens`], [`secrets`], [`passwords`], [`cookies`], [`accounts`] adapters and policies
//! - [`guesses`], [`known_browser`] limits on guessing one account's password; [`security_log`] the log of security
//!   events
//! - [`background`] background tasks; [`revocations`] the freshness of the revocation cache; [`readiness`] whether the
//!   node can work
//! - [`config`] the settings; [`state`] the services that handlers share; [`serve`] listeners and connections;
//!   [`telemetry`] logs and metrics; [`site`] the built files of the pages
//! - [`error`] the format of every error response; [`clock`], [`random`] the only sources of time and randomness
//!
//! The lab and the command line are crates above this one. This crate knows neither.
//!
//! # Invariants
//! - A handler parses, calls `rotation` or `store`, and responds. It decides nothing about a session itself.
//! - A response that confirms a change is sent after the commit, never before.
//! - The refresh token appears only in `Set-Cookie`. The access token appears only in the JSON responses of register,
//!   login and refresh.
//!   Rendering a page has access to neither: it checks the cookie's signature and expiry, and does not query the
//!   database.
//! - Only a definite verdict clears the cookie. A database failure logs no one out.

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
pub mod middleware;
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
mod shown;
pub mod site;
pub mod state;
pub mod telemetry;
pub mod tokens;
mod wire;

pub use routes::router;
pub use state::{App, AppState};
