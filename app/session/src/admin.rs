//! Typed calls for administrators. The server answers `forbidden` to everyone else.

use api_types::{
    admin::{UserPage, UserSearch},
    paths::{self, query_value},
};

use crate::{ApiError, ApiRequest, Method, SessionManager};

/// Number of accounts per page.
const PAGE_SIZE: u64 = 20;

impl SessionManager {
    /// One page of accounts in the order in which they were created. A non-empty `search` selects accounts whose
    /// address contains it. `after` is `next` of the previous page.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::me`].
    pub async fn users(&self, search: &str, after: Option<&str>) -> Result<UserPage, ApiError> {
        let request = if search.is_empty() {
            let after = after.map(|id| format!("&after={}", query_value(id)));
            let path = format!(
                "{}?limit={PAGE_SIZE}{}",
                paths::ADMIN_USERS,
                after.unwrap_or_default()
            );
            ApiRequest::new(Method::Get, path)
        } else {
            let search_request = UserSearch {
                email: search.to_owned(),
                after: after.map(str::to_owned),
                limit: Some(PAGE_SIZE),
            };
            ApiRequest::new(Method::Post, paths::ADMIN_USER_SEARCH).with_json(&search_request)
        };
        self.send(request).await?.json()
    }

    /// Disables an account: revokes its sessions, and refuses sign-ins until it is enabled again.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::me`]. `forbidden` if it is the caller's own account, `not_found` if there is none.
    pub async fn disable_user(&self, id: &str) -> Result<(), ApiError> {
        self.change_user(Method::Post, paths::ADMIN_DISABLE_USER, id)
            .await
    }

    /// Enables an account again. Its revoked sessions stay revoked.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::me`]. `not_found` if there is none.
    pub async fn enable_user(&self, id: &str) -> Result<(), ApiError> {
        self.change_user(Method::Post, paths::ADMIN_ENABLE_USER, id).await
    }

    /// Revokes all sessions of an account.
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
