//! Typed calls for administrators. To everybody else the server answers `forbidden`.

use api_types::{
    admin::{UserPage, UserSearch},
    paths::{self, query_value},
};

use crate::{ApiError, ApiRequest, Method, SessionManager};

/// How many accounts a page has.
const PAGE: u64 = 20;

impl SessionManager {
    /// One page of accounts in the order in which they were made, of those whose address contains `search` if that is
    /// not empty; `after` is `next` of the page before.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::me`].
    pub async fn users(&self, search: &str, after: Option<&str>) -> Result<UserPage, ApiError> {
        let request = if search.is_empty() {
            let after = after.map(|id| format!("&after={}", query_value(id)));
            let path = format!("{}?limit={PAGE}{}", paths::ADMIN_USERS, after.unwrap_or_default());
            ApiRequest::new(Method::Get, path)
        } else {
            let wanted = UserSearch {
                email: search.to_owned(),
                after: after.map(str::to_owned),
                limit: Some(PAGE),
            };
            ApiRequest::new(Method::Post, paths::ADMIN_USER_SEARCH).with_json(&wanted)
        };
        self.send(request).await?.json()
    }

    /// Disables an account: its sessions end, and signing in is refused until it is enabled again.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::me`]. `forbidden` if it is the account that asks, `not_found` if there is none.
    pub async fn disable_user(&self, id: &str) -> Result<(), ApiError> {
        self.change_user(Method::Post, paths::ADMIN_DISABLE_USER, id)
            .await
    }

    /// Enables an account again. Its old sessions stay ended.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::me`]. `not_found` if there is none.
    pub async fn enable_user(&self, id: &str) -> Result<(), ApiError> {
        self.change_user(Method::Post, paths::ADMIN_ENABLE_USER, id).await
    }

    /// Ends all sessions of an account.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::enable_user`].
    pub async fn end_user_sessions(&self, id: &str) -> Result<(), ApiError> {
        self.change_user(Method::Delete, paths::ADMIN_USER_SESSIONS, id)
            .await
    }

    async fn change_user(&self, method: Method, path: &str, id: &str) -> Result<(), ApiError> {
        let path = path.replace("{id}", id);
        self.send(ApiRequest::new(method, path)).await?.success()
    }
}
