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

/// One page of `GET /api/sessions`, the most recently used session first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionPage {
    pub sessions: Vec<SessionEntry>,
    /// The value of `?after=` that gives the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One entry of `GET /api/sessions`: an active session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEntry {
    pub id: String,
    /// The browser that signed in, as it identified itself: “Firefox on Windows 10”.
    pub device: Option<String>,
    /// The network address that signed in.
    pub ip: Option<String>,
    /// Time of the sign-in, in seconds since the Unix epoch.
    pub created_at: u64,
    /// Time of the last refresh, in seconds since the Unix epoch.
    pub last_used_at: u64,
    /// Seconds since the last refresh, by the server's clock, because a browser's clock may be wrong.
    pub idle_seconds: u64,
    /// When the session expires if it is not used before then, in seconds since the Unix epoch.
    pub expires_at: u64,
    /// Whether the access token of this request belongs to this session.
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

/// One event in the history of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventEntry {
    pub id: String,
    /// `signed_in`, `refresh_reused`, `password_changed`, …
    pub kind: String,
    /// Seconds since the Unix epoch.
    pub at: u64,
    pub session_id: Option<String>,
    /// The browser, as it identified itself: “Firefox on Windows 10”.
    pub device: Option<String>,
    pub ip: Option<String>,
    /// Number of occurrences, where one entry covers several: failed sign-ins within an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Who acted, if not the account's own password or session: `administrator`, `operator` or `system`. `device` and
    /// `ip` are then absent, because they do not concern the account's owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
}

/// `GET /api/account/alarm`: the security alert that the account's owner has not marked as seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmResponse {
    /// The newest refresh token reuse, otherwise a series of failed sign-ins; absent if it was marked as seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<EventEntry>,
}

/// `POST /api/account/alarm`: marks one alert as seen. The id identifies it, so a newer alert that was not shown yet
/// stays.
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
