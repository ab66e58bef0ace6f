//! One page per file.

pub mod account;
pub mod error;
pub mod home;
pub mod login;
pub mod not_found;
pub mod register;

pub use account::{AccountPage, SecurityPage, SessionsPage};
pub use error::ErrorPage;
pub use home::HomePage;
pub use login::LoginPage;
pub use not_found::NotFoundPage;
pub use register::RegisterPage;
