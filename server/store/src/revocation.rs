//! Revoking sessions, and telling every process that they are revoked.
//!
//! [`sessions`], [`accounts`] and [`bulk`] revoke in a [`WriteTransaction`](crate::write_transaction). Its commit
//! publishes what it revoked ([`channel`]). Every process keeps a cache of revocations ([`cache`]), and also reads them
//! from the database ([`reader`]).

pub(crate) mod accounts;
mod bulk;
pub(crate) mod cache;
pub(crate) mod channel;
mod reader;
pub(crate) mod sessions;

pub use bulk::RevocationCount;
pub use channel::RevocationListener;
