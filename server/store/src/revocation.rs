//! Revoking sessions, and telling every process that they are revoked.
//!
//! [`sessions`] and [`accounts`] revoke in a [`WriteTransaction`](crate::write_transaction). Its commit publishes
//! what it revoked ([`channel`]), and every process caches it ([`cache`]), also by reading it from the database
//! ([`reader`]).

pub(crate) mod accounts;
mod bulk;
pub(crate) mod cache;
pub(crate) mod channel;
mod reader;
pub(crate) mod sessions;

pub use bulk::RevocationCount;
pub use channel::RevocationListener;
