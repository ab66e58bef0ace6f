//! `/api/account`

mod delete;
mod events;
mod password;
