//! Typed calls of the account area.

use api_types::{
    account::{
        AlarmResponse, AlarmSeenRequest, ChangePasswordRequest, DeleteAccountRequest, EventEntry, EventPage,
        SessionPage,
    },
    auth::User,
    paths,
    problem::ProblemCode,
};

use crate::{ApiError, ApiRequest, Method, SessionManager, event::Event};

impl SessionManager {
    /// One page of the account's active sessions, the most recently used first; `after` is `next` of the previous page.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::me`].
    pub async fn sessions(&self, after: Option<&str>) -> Result<SessionPage, ApiError> {
        let path = match after {
            Some(place) => format!("{}?limit=20&after={place}", paths::SESSIONS),
            None => format!("{}?limit=20", paths::SESSIONS),
        };
        self.send(ApiRequest::new(Method::Get, path)).await?.json()
    }

    /// Revokes another session of this account.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::me`]. `not_found` if it has already ended.
    pub async fn revoke_session(&self, id: &str) -> Result<(), ApiError> {
        let path = paths::ONE_SESSION.replace("{id}", id);
        self.send(ApiRequest::new(Method::Delete, path)).await?.success()
    }

    /// Revokes all other sessions of this account.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::me`].
    pub async fn revoke_other_sessions(&self) -> Result<(), ApiError> {
        self.send(ApiRequest::new(Method::Delete, paths::SESSIONS))
            .await?
            .success()
    }

    /// One page of the account's history, newest first; `before` is `next` of the previous page.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::me`].
    pub async fn events(&self, before: Option<&str>) -> Result<EventPage, ApiError> {
        let path = match before {
            Some(id) => format!("{}?limit=20&before={id}", paths::ACCOUNT_EVENTS),
            None => format!("{}?limit=20", paths::ACCOUNT_EVENTS),
        };
        self.send(ApiRequest::new(Method::Get, path)).await?.json()
    }

    /// The security alert that the account's owner has not marked as seen: refresh token reuse, or many failed
    /// sign-ins.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::me`].
    pub async fn alarm(&self) -> Result<Option<EventEntry>, ApiError> {
        let response = self
            .send(ApiRequest::new(Method::Get, paths::ACCOUNT_ALARM))
            .await?;
        Ok(response.json::<AlarmResponse>()?.alarm)
    }

    /// Marks an alert as seen, on every device of this account.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::me`]. `not_found` if this account has no such alert.
    pub async fn alarm_seen(&self, id: &str) -> Result<(), ApiError> {
        let request = AlarmSeenRequest { id: id.to_owned() };
        self.send(ApiRequest::new(Method::Post, paths::ACCOUNT_ALARM).with_json(&request))
            .await?
            .success()
    }

    /// Revokes every session of this account, including this one. Afterwards no one is signed in here.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::me`]. After an error it is unknown whether any session was revoked.
    pub async fn sign_out_everywhere(&self) -> Result<(), ApiError> {
        self.send(ApiRequest::new(Method::Post, paths::LOGOUT_ALL))
            .await?
            .success()?;
        self.forget_session().await;
        Ok(())
    }

    /// Deletes the account. Afterwards no one is signed in here.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::me`]. `invalid_credentials` if the password is wrong.
    pub async fn delete_account(&self, request: DeleteAccountRequest) -> Result<(), ApiError> {
        self.send(ApiRequest::new(Method::Delete, paths::ACCOUNT).with_json(&request))
            .await?
            .success()?;
        self.forget_session().await;
        Ok(())
    }

    /// Changes the password. The server revokes every older session, and this page continues with the new session of
    /// the response. The request goes through the queue like a sign-in, so it cannot cross a refresh.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::sign_in`]. `invalid_credentials` if the current password is wrong, `validation_failed` if
    /// the new one is rejected.
    pub async fn change_password(&self, request: ChangePasswordRequest) -> Result<User, ApiError> {
        let epoch = self.epoch();
        let request = ApiRequest::new(Method::Post, paths::ACCOUNT_PASSWORD).with_json(&request);
        let first = self.token(epoch).await?;
        let attempt = |bearer| ApiRequest {
            bearer: Some(bearer),
            ..request.clone()
        };
        match self.submit_sign_in(attempt(first.token.clone())).await {
            Err(ApiError::Problem(problem))
                if problem.code == ProblemCode::InvalidToken && self.may_retry(&first) =>
            {
                self.apply(Event::TokenRefused { id: first.id });
                let second = self.token(epoch).await?;
                self.submit_sign_in(attempt(second.token)).await
            }
            response => response,
        }
    }

    /// Forgets the session that the server has already ended, and has the cookie cleared as well.
    async fn forget_session(&self) {
        // The result does not matter: the session has already ended on the server.
        let _ = self.sign_out().await;
    }
}
