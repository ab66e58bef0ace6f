//! Typed calls for administrators. To everybody else the server answers `forbidden`.

use api_types::{
    admin::UserPage,
    paths::{self, query_value},
};

use crate::{ApiError, ApiRequest, Method, SessionManager};

impl SessionManager {
    /// One page of accounts in the order in which they were made, of those whose address contains `search` if that is
    /// not empty; `after` is `next` of the page before.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::me`].
    pub async fn users(&self, search: &str, after: Option<&str>) -> Result<UserPage, ApiError> {
        let mut path = format!("{}?limit=20", paths::ADMIN_USERS);
        let wanted = [
            ("search", Some(search).filter(|text| !text.is_empty())),
            ("after", after),
        ];
        for (name, value) in wanted {
            if let Some(value) = value {
                path = format!("{path}&{name}={}", query_value(value));
            }
        }
        self.send(ApiRequest::new(Method::Get, path)).await?.json()
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
