//! The keys that sign access tokens, and their life cycle.
//!
//! # Layout
//! - `alg` the algorithms; `key` generates, encrypts and decrypts one key; `jwk` its public half
//! - [`KeyRules`] the configuration
//! - `schedule` when a key is published, signs and retires: pure functions over the list of keys
//! - [`KeyManager`] applies the schedule in the database, under a lock, for every node and for the command line
//! - [`KeyRing`] the keys in a node's memory, kept up to date while it runs
//!
//! # The life of a key
//! A new key is published before it signs, for as long as others may cache the key set ([`JWKS_MAX_AGE`]), so that
//! every verifier has the key before it sees a token. At the scheduled time every node begins to sign with it by its
//! own clock, without a message. Its predecessor verifies until the last token that it signed has expired, and then
//! retires. All these times are in the database before the first of them arrives.
//!
//! Which key signs is read from the database and never from a node's configuration: nodes with different configurations
//! still agree during an upgrade. `tokens.signing_alg` sets the algorithm of new keys. If the newest key has another
//! algorithm at a start, the node rotates, with publication first, because the current key still signs in the meantime.

mod alg;
mod jwk;
mod key;
mod manager;
mod ring;
mod rules;
mod schedule;

use std::time::Duration;

use rotation::KeyId;
use store::StoreError;

pub use alg::Alg;
pub use jwk::JwkSet;
pub use key::AccessKey;
pub use manager::KeyManager;
pub(super) use ring::KeyLookup;
pub use ring::KeyRing;
pub use rules::KeyRules;
pub use schedule::{KeyRetirement, KeyRevocation, KeyRotation, SigningStart};

/// How long verifiers may cache the published keys: `max-age` of `/.well-known/jwks.json`.
pub const JWKS_MAX_AGE: Duration = Duration::from_mins(5);

/// Why the keys could not be loaded or changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the signing key {0} cannot be opened: secrets.master is not the one that it was stored under")]
    Sealed(KeyId),
    #[error("the signing key {0} is damaged")]
    Damaged(KeyId),
    #[error(
        "this node does not have that version of secrets.master; another node has, so give it to all of them"
    )]
    MissingSecret,
    #[error("there is no signing key that this version can use")]
    None,
    #[error("the database did not answer a moment ago, and is not asked again so soon")]
    LookupThrottled,
    #[error("there is no signing key {0}; `keyturn keys list` shows all")]
    NoSuchKey(KeyId),
    #[error(
        "{0} is the only key that signs; make its successor first, with `keyturn keys rotate`, or end it at once with \
         `keyturn keys revoke`"
    )]
    OnlySigner(KeyId),
}
