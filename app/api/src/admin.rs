//! Bodies of the endpoints under `/api/admin`.

use serde::{Deserialize, Serialize};

/// The value of an account's `role` that grants access to these endpoints.
pub const ROLE: &str = "admin";

/// `POST /api/admin/users/search`. The search text is in the body, because proxies log URLs and an email address does
/// not belong in a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserSearch {
    /// A part of the email address.
    pub email: String,
    /// `next` of the previous page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// 1 to 100 accounts; 50 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// One page of `GET /api/admin/users` or of a search, in the order in which the accounts were created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserPage {
    pub users: Vec<UserEntry>,
    /// The value of `after` that gives the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// An account as an administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserEntry {
    pub id: String,
    pub email: String,
    pub display_name: Option<String>,
    pub role: String,
    /// Seconds since the Unix epoch; absent if the account is not disabled.
    pub disabled_at: Option<u64>,
    /// Seconds since the Unix epoch.
    pub created_at: u64,
}
