//! Typed calls. An application with its own API writes such calls the same way, around [`SessionManager::send`].

use api_types::{
    auth::{UpdateMeRequest, User},
    paths,
    session::SessionInfo,
};

use crate::{ApiError, ApiRequest, Method, SessionManager, event::Event};

impl SessionManager {
    /// Asks the server who is signed in, and updates the view.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::send`], and as [`ApiResponse::json`](crate::ApiResponse::json) for failure responses.
    pub async fn me(&self) -> Result<User, ApiError> {
        self.user_from(ApiRequest::new(Method::Get, paths::ME)).await
    }

    /// Changes the profile, and updates the view.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::me`].
    pub async fn update_me(&self, request: UpdateMeRequest) -> Result<User, ApiError> {
        self.user_from(ApiRequest::new(Method::Patch, paths::ME).with_json(&request))
            .await
    }

    /// The session details in the access token.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::me`].
    pub async fn session_info(&self) -> Result<SessionInfo, ApiError> {
        self.send(ApiRequest::new(Method::Get, paths::SESSION))
            .await?
            .json()
    }

    async fn user_from(&self, request: ApiRequest) -> Result<User, ApiError> {
        let epoch = self.epoch();
        let user: User = self.send(request).await?.json()?;
        self.apply(Event::UserChanged {
            epoch,
            user: user.clone(),
        });
        Ok(user)
    }
}
