//! SeaORM entities of the tables. Private: no entity leaves this crate, and none can be serialised.

pub(crate) mod blacklisted_token;
pub(crate) mod ended_account;
pub(crate) mod ended_session;
pub(crate) mod security_event;
pub(crate) mod session;
pub(crate) mod sign_in_failure;
pub(crate) mod signing_key;
pub(crate) mod user;
pub(crate) mod write_probe;
