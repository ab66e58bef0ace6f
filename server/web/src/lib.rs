//! Keyturn over HTTP: the API and the pages of the product.
//!
//! # Layout
//! - [`routes`] the API, one file for each endpoint; [`pages`] the rendered pages and their files
//! - [`middleware`] what happens to every request; [`extract`] what handlers ask of one
//! - [`tokens`], [`secrets`], [`passwords`], [`cookies`], [`accounts`] adapters and policies
//! - [`guesses`], [`known_browser`] limits on guessing one account's password; [`security_log`] what is told of attacks
//! - [`background`] what is done beside answering; [`revocations`] how much is known of ended sessions;
//!   [`readiness`] whether the node can work
//! - [`config`] the settings; [`state`] the services that handlers share; [`serve`] listeners and connections;
//!   [`telemetry`] logs and metrics
//! - [`error`] the one shape of every refusal; [`clock`], [`random`] the only sources of time and chance
//!
//! The lab and the command line are crates above this one, which knows neither.
//!
//! # Invariants
//! - A handler parses, asks `rotation` or `store`, and answers. It decides nothing about a session itself.
//! - An answer that a change was made is sent after the commit and never before.
//! - The refresh token appears in `Set-Cookie` and nowhere else; the access token in the JSON answers of register,
//!   login and refresh and nowhere else.
//!   Rendering a page sees neither: it looks at the cookie's signature and expiry, and asks no database.
//! - Only a definite verdict clears the cookie. A database that fails logs nobody out.

// A page is one nested type; laying it out for the rendering task goes deeper than the default of 128.
#![recursion_limit = "256"]

pub mod accounts;
pub mod background;
pub mod clock;
pub mod config;
pub mod cookies;
pub mod current_request;
pub mod error;
pub mod extract;
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
pub mod site;
pub mod state;
pub mod telemetry;
pub mod tokens;

pub use routes::router;
pub use state::{App, AppState};
