//! For administrators: everybody who has an account here.
//!
//! - [`door`] who is let in; the only thing here that others get
//! - [`users`] the page behind it, [`listing`] what it knows, [`user`] and [`question`] one account of it

pub mod door;
pub mod listing;
pub mod question;
pub mod user;
pub mod users;

pub use self::{door::AdminDoor, users::UsersPage};
