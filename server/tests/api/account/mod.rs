//! `/api/account`

mod alarm;
mod delete;
mod events;
mod password;
