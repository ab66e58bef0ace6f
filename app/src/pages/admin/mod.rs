//! For administrators: all accounts.
//!
//! - [`guard`] access control; the only thing here that other users get
//! - `lazy_page` the part of the app behind it
//! - [`users`] the page, [`user`] and [`confirm_dialog`] one account on it

pub mod confirm_dialog;
pub mod guard;
mod lazy_page;
pub mod user;
pub mod users;

pub use self::{guard::AdminGuard, users::UsersPage};
