//! Session details for the bearer of an access token.

use serde::{Deserialize, Serialize};

/// `GET /api/auth/session`: read from the access token alone, without a database query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    /// The user's id (RFC 7519 §4.1.2).
    pub sub: String,
    /// The session's id: one login, one family of refresh tokens.
    pub sid: String,
    /// Generation of this session's refresh token: 1 after sign-in, one more after each rotation.
    pub generation: u64,
    pub role: String,
    /// When the user last entered the password, in seconds since the Unix epoch.
    pub auth_time: u64,
    /// When the access token expires, in seconds since the Unix epoch.
    pub exp: u64,
}
