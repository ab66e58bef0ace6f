//! Why a password could not be hashed or checked.

use std::fmt;

use super::breached::FilterError;

/// Why a password was neither hashed nor verified.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too many requests are waiting already. The client should retry in a moment.
    #[error("the queue for password hashing is full")]
    Busy,
    /// The system has no memory for a work area.
    #[error("no memory for password hashing")]
    Memory,
    #[error("passwords.breached_filter: {0}")]
    Filter(#[from] FilterError),
    #[error("argon2: {0}")]
    Hash(String),
}

pub(super) fn hash_error(error: impl fmt::Display) -> PasswordError {
    PasswordError::Hash(error.to_string())
}
