//! `/api/auth`

mod login;
mod logout;
mod logout_all;
mod lost_writes;
mod refresh;
mod register;
mod session;
