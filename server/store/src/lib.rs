#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod accounts;
mod alarms;
mod backup;
pub mod blacklist;
mod columns;
mod confirmation_buffer;
mod confirmations;
mod connect;
mod database;
mod entity;
mod error;
mod events;
pub mod guesses;
pub mod keys;
mod options;
mod page;
mod probe;
mod prune;
mod redact;
pub mod refresh;
mod revocation;
pub mod sessions;
mod unreadable;
pub mod users;
mod write_transaction;

pub use connect::Store;
pub use database::options::tls_finding;
pub use error::StoreError;
pub use events::{Actor, AuditContext, ClientInfo, EventId, EventKind, EventList, SecurityEvent};
pub use options::Options;
pub use prune::{Pruned, RetentionCutoff};
pub use revocation::{RevocationCount, RevocationListener};
