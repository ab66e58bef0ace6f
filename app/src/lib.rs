#![doc = include_str!("../README.md")]

pub mod app;
pub mod components;
pub mod lab;
pub mod pages;
pub mod peek;
pub mod platform;
pub mod routes;
pub mod session_ctx;
pub mod shape;
#[cfg(feature = "ssr")]
pub mod shell;
pub mod storage;
pub mod strength;

mod exactly;
pub mod format;
pub mod hints;
mod respond;
mod sign_out;
mod visit;
pub mod words;

pub use app::App;
pub use pages::parts::fetch_part_of;
pub use peek::Peek;
pub use platform::{ColorScheme, Platform};
pub use session_ctx::{SessionCtx, use_session};
#[cfg(feature = "ssr")]
pub use shell::shell;
