//! For administrators: all accounts.
//!
//! - [`door`] access control; the only thing here that other users get
//! - [`users`] the page, [`listing`] its state, [`user`] and [`question`] one account on it

pub mod door;
pub mod listing;
pub mod question;
pub mod user;
pub mod users;

pub use self::{door::AdminDoor, users::UsersPage};
