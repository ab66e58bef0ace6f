#![doc = include_str!("../README.md")]

pub mod account_query;
pub mod components;
pub mod exact_path;
pub mod format;
pub mod hints;
pub mod lab_open;
pub mod platform;
pub mod require_session;
pub mod respond;
pub mod routes;
pub mod session_ctx;
pub mod session_hint;
pub mod sign_out;
pub mod storage;
pub mod strength;
pub mod ticking_clock;
pub mod visitor_page;
pub mod words;

pub use platform::{ColorScheme, Platform};
pub use session_ctx::{SessionCtx, use_session};
pub use session_hint::SessionHint;
