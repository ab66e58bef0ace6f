//! A session as stored in the database. The row decides; the blacklist only records.

use crate::{Generation, Jti, KeyId, SessionId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// One sign-in. Refresh, sign-out and reuse detection all compete for this one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The id, which the claim `sid` names.
    pub id: SessionId,
    /// The owner.
    pub user_id: UserId,
    /// The user's epoch at login; a session of an older epoch is revoked.
    pub token_epoch: u32,
    /// The live token: the only refresh token that may rotate.
    pub live_token: LiveToken,
    /// The parent of the live token, which a retry may still present.
    pub previous_jti: Option<Jti>,
    /// When the live token replaced its parent.
    pub rotated_at: Timestamp,
    /// When the live token was confirmed by the first authenticated request with an access token of its generation.
    /// `None`: there is no proof yet that the response with the token arrived.
    pub confirmed_at: Option<Timestamp>,
    /// The end of the session, which no refresh extends.
    pub absolute_expires_at: Timestamp,
    /// When the user entered the password (`auth_time`).
    pub created_at: Timestamp,
    /// When the session was last refreshed.
    pub last_used_at: Timestamp,
    /// “Keep me signed in”.
    pub remember: bool,
    /// When and why it was revoked, if it was.
    pub revocation: Option<Revocation>,
}

/// The current refresh token of a session: everything that the token is made of. Signing it again gives the same bytes,
/// so no token has to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveToken {
    /// The token's id.
    pub jti: Jti,
    /// Its number within the session.
    pub generation: Generation,
    /// Its `iat`.
    pub issued_at: Timestamp,
    /// Its `exp`.
    pub expires_at: Timestamp,
    /// The key that signed it. A replay must use the same key, even after a key rotation.
    pub kid: KeyId,
}

/// When and why a session was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revocation {
    /// When it was revoked.
    pub at: Timestamp,
    /// Why.
    pub reason: RevocationReason,
}

/// Why a session was revoked, as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RevocationReason {
    /// The owner signed out.
    Logout,
    /// The owner signed out everywhere.
    LogoutAll,
    /// The password was changed or reset.
    PasswordChanged,
    /// A consumed refresh token was presented again.
    ReuseDetected,
    /// The owner ended this session from another one.
    RevokedByUser,
    /// An operator or administrator revoked it, or changed the account.
    RevokedByOperator,
    /// The same browser signed in again.
    Replaced,
    /// The account was deleted.
    Deleted,
    /// The account exceeded its limit of live sessions, and this was the least recently used one.
    SessionLimit,
    /// A reason unknown to this version, written by a newer one.
    Unknown,
}

impl RevocationReason {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::Logout,
        Self::LogoutAll,
        Self::PasswordChanged,
        Self::ReuseDetected,
        Self::RevokedByUser,
        Self::RevokedByOperator,
        Self::Replaced,
        Self::Deleted,
        Self::SessionLimit,
        Self::Unknown,
    ];

    /// The name in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::LogoutAll => "logout_all",
            Self::PasswordChanged => "password_changed",
            Self::ReuseDetected => "reuse_detected",
            Self::RevokedByUser => "revoked_by_user",
            Self::RevokedByOperator => "revoked_by_operator",
            Self::Replaced => "replaced",
            Self::Deleted => "deleted",
            Self::SessionLimit => "session_limit",
            Self::Unknown => "unknown",
        }
    }

    /// The reason with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// The account's state that matters to its sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountState {
    /// Incremented when everything issued so far must end: logout everywhere, password change, disabling the account.
    pub token_epoch: u32,
    /// Whether an administrator disabled the account.
    pub disabled: bool,
    /// The account's role.
    pub role: Role,
}

/// The role of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Uses their own account.
    User,
    /// Manages all accounts.
    Admin,
}

impl Role {
    /// The name in the database, on the wire and in the claim `role`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
        }
    }

    /// The role with this name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::User, Self::Admin]
            .into_iter()
            .find(|role| role.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_parses_from_its_name() {
        for reason in RevocationReason::ALL {
            assert_eq!(RevocationReason::parse(reason.as_str()), Some(reason));
        }
        assert_eq!(RevocationReason::parse("bored"), None);
    }

    #[test]
    fn roles_have_the_names_that_are_stored() {
        assert_eq!((Role::User.as_str(), Role::Admin.as_str()), ("user", "admin"));
        assert_eq!(Role::parse("user"), Some(Role::User));
        assert_eq!(Role::parse("admin"), Some(Role::Admin));
        assert_eq!(Role::parse("root"), None);
    }
}
