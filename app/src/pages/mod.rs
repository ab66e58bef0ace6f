//! One page per file.

pub mod account;
pub mod admin;
pub mod home;
pub mod inspector;
pub mod login;
pub mod missing_part;
pub mod new_password;
pub mod parts;
pub mod register;
pub mod strength_part;

pub use login::LoginPage;
pub use parts::{AccountArea, LazyPage};
