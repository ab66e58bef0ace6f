//! The keys that sign access tokens: how they come, sign, and go.
//!
//! # Layout
//! - `alg` the algorithms; `key` one key, made, sealed, opened; `jwk` its public half
//! - `plan` when a key is published, signs and retires: pure functions over the list of keys
//! - [`Keysmith`] carries a plan out in the database, alone; the command line has one, and every node
//! - [`KeyRing`] the keys as a node holds them, kept fresh while it runs
//!
//! # The life of a key
//! A new key is published before it signs, for as long as others may hold on to the set of keys that they fetched
//! ([`JWKS_MAX_AGE`]): whoever meets a token of it knows it already. When its time has come every node signs with it by
//! its own clock, without a message. Its predecessor verifies until the last token that it signed has ended, and then
//! retires. All these moments stand in the database before the first of them comes.
//!
//! Which key signs is read from the database and never from a node's configuration: nodes that are configured
//! differently, for the minutes of an upgrade, still agree. `tokens.signing_alg` says what new keys are made for; a
//! start finds that the newest key is for another algorithm and rotates, with publication first, as there is a key that
//! signs in the meantime.

mod alg;
mod jwk;
mod key;
mod plan;
mod ring;
mod smith;

use std::time::Duration;

use rotation::KeyId;
use store::StoreError;

pub use alg::Alg;
pub use jwk::JwkSet;
pub use key::AccessKey;
pub use plan::{Begins, KeyRules, Retirement, Revocation, Rotated};
pub(super) use ring::Found;
pub use ring::KeyRing;
pub use smith::Keysmith;

/// How long verifiers may keep the published keys: `max-age` of `/.well-known/jwks.json`.
pub const JWKS_MAX_AGE: Duration = Duration::from_mins(5);

/// Why the keys could not be had or changed.
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
    AskedInVain,
    #[error("there is no signing key {0}; `keyturn keys list` shows all")]
    NoSuchKey(KeyId),
    #[error(
        "{0} is the only key that signs; make its successor first, with `keyturn keys rotate`, or end it at once with \
         `keyturn keys revoke`"
    )]
    OnlySigner(KeyId),
}
