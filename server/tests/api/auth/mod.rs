//! `/api/auth`

mod login;
mod logout;
mod logout_all;
mod refresh;
mod register;
mod session;
