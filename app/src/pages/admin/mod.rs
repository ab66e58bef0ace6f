//! For administrators: all accounts.
//!
//! - [`guard`] access control; the only thing here that other users get
//! - `part` the part of the app behind it
//! - [`users`] the page, [`listing`] its state, [`user`] and [`confirm_dialog`] one account on it

pub mod confirm_dialog;
pub mod guard;
pub mod listing;
mod part;
pub mod user;
pub mod users;

pub use self::{guard::AdminGuard, users::UsersPage};
