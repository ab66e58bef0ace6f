//! `GET /api/auth/session`

use api_types::session::SessionInfo;

use crate::extract::{AuthUser, Json};

/// Returns the content of the access token, without querying the database.
pub async fn get_session(AuthUser(claims): AuthUser) -> Json<SessionInfo> {
    Json(SessionInfo {
        sub: claims.sub.to_string(),
        sid: claims.sid.to_string(),
        generation: u64::from(claims.generation.number()),
        role: claims.role.as_str().to_owned(),
        auth_time: u64::try_from(claims.auth_time).unwrap_or(0),
        exp: u64::try_from(claims.exp).unwrap_or(0),
    })
}
