//! Bodies of the endpoints under `/api/account` and `/api/sessions`.
//!
//! Types that carry a password do not print it: their `Debug` is written by hand.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `POST /api/account/password`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangePasswordRequest {
    pub current_password: String,
    /// Taken exactly as typed: never trimmed, never normalised.
    pub new_password: String,
}

/// `DELETE /api/account`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeleteAccountRequest {
    pub current_password: String,
}

/// One page of `GET /api/sessions`, the last used first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionPage {
    pub sessions: Vec<SessionEntry>,
    /// The value of `?after=` that gives the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One entry of `GET /api/sessions`: a session that is not over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEntry {
    pub id: String,
    /// The browser that signed in, as it named itself: “Firefox on Windows 10”.
    pub device: Option<String>,
    /// The network address that signed in.
    pub ip: Option<String>,
    /// When the password was given, in seconds since the Unix epoch.
    pub created_at: u64,
    /// The last refresh, in seconds since the Unix epoch.
    pub last_used_at: u64,
    /// How long ago that was, in seconds, by the server's clock: a browser's may be wrong.
    pub idle_seconds: u64,
    /// When it ends unless it is used before, in seconds since the Unix epoch.
    pub expires_at: u64,
    /// Whether the access token of this request belongs to it.
    pub current: bool,
}

/// One page of `GET /api/account/events`, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventPage {
    pub events: Vec<EventEntry>,
    /// The value of `?before=` that gives the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One thing that happened to the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventEntry {
    pub id: String,
    /// `signed_in`, `refresh_reused`, `password_changed`, …
    pub kind: String,
    /// Seconds since the Unix epoch.
    pub at: u64,
    pub session_id: Option<String>,
    /// The browser, as it named itself: “Firefox on Windows 10”.
    pub device: Option<String>,
    pub ip: Option<String>,
    /// How often it happened, where one entry stands for several times: failed sign-ins within an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// `administrator`, `operator` or `system`, if it was not done with the account's own password or session. Then
    /// neither browser nor address is told: they are not the account owner's business.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
}

/// `GET /api/account/alarm`: what the account's owner must be told until they say that they know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmResponse {
    /// The newest reuse of a refresh token, or else many failed sign-ins, unless it was marked as seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<EventEntry>,
}

/// `POST /api/account/alarm`: marks one as seen. By its id, so that a newer one that was not shown yet stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlarmSeenRequest {
    pub id: String,
}

impl fmt::Debug for ChangePasswordRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangePasswordRequest").finish_non_exhaustive()
    }
}

impl fmt::Debug for DeleteAccountRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeleteAccountRequest").finish_non_exhaustive()
    }
}
