//! What a bearer may learn about the session behind the access token.

use serde::{Deserialize, Serialize};

/// `GET /api/auth/session`: read from the access token alone, without a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    /// The user's id (RFC 7519 §4.1.2).
    pub sub: String,
    /// The session's id: one login, one family of refresh tokens.
    pub sid: String,
    /// How often this session's refresh token has been rotated, from 1.
    pub generation: u64,
    pub role: String,
    /// When the password was last given, in seconds since the Unix epoch.
    pub auth_time: u64,
    /// When the access token ends, in seconds since the Unix epoch.
    pub exp: u64,
}
