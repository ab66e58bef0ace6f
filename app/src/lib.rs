#![doc = include_str!("../README.md")]

pub mod app;
pub mod pages;
pub mod shape;
#[cfg(feature = "ssr")]
pub mod shell;

pub use app::App;
#[cfg(feature = "lab")]
pub use lab_ui::port as lab_port;
pub use pages::parts::fetch_part_of;
#[cfg(feature = "ssr")]
pub use shell::shell;
// What those who embed the pages, the server and the browser's root, need of the components below.
pub use ui::{
    ColorScheme, Platform, SessionCtx, SessionHint, hints, lab_open, platform, routes, session_ctx,
    session_hint, storage,
};
