//! For administrators: all accounts.
//!
//! - [`door`] access control; the only thing here that other users get
//! - `part` the part of the app behind it
//! - [`users`] the page, [`listing`] its state, [`user`] and [`question`] one account on it

pub mod door;
pub mod listing;
mod part;
pub mod question;
pub mod user;
pub mod users;

pub use self::{door::AdminDoor, users::UsersPage};
