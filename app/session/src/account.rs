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
    /// One page of the account's sessions that are not over, the last used first; `after` is `next` of the page before.
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

    /// Ends another session of this account.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::me`]. `not_found` if it is over already.
    pub async fn revoke_session(&self, id: &str) -> Result<(), ApiError> {
        let path = paths::ONE_SESSION.replace("{id}", id);
        self.send(ApiRequest::new(Method::Delete, path)).await?.success()
    }

    /// Ends all sessions of this account but this one.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::me`].
    pub async fn revoke_other_sessions(&self) -> Result<(), ApiError> {
        self.send(ApiRequest::new(Method::Delete, paths::SESSIONS))
            .await?
            .success()
    }

    /// One page of what happened to the account, newest first; `before` is `next` of the page before.
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

    /// What the account's owner has to be told and has not marked as seen: a refresh token that was presented twice.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::me`].
    pub async fn alarm(&self) -> Result<Option<EventEntry>, ApiError> {
        let answer = self
            .send(ApiRequest::new(Method::Get, paths::ACCOUNT_ALARM))
            .await?;
        Ok(answer.json::<AlarmResponse>()?.alarm)
    }

    /// Marks an alarm as seen, for every device of this account.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::me`]. `not_found` if this account has no such alarm.
    pub async fn alarm_seen(&self, id: &str) -> Result<(), ApiError> {
        let request = AlarmSeenRequest { id: id.to_owned() };
        self.send(ApiRequest::new(Method::Post, paths::ACCOUNT_ALARM).with_json(&request))
            .await?
            .success()
    }

    /// Ends every session of this account, this one too. Afterwards nobody is signed in here.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::me`]; then nothing may have ended.
    pub async fn sign_out_everywhere(&self) -> Result<(), ApiError> {
        self.send(ApiRequest::new(Method::Post, paths::LOGOUT_ALL))
            .await?
            .success()?;
        self.leave().await;
        Ok(())
    }

    /// Deletes the account. Afterwards nobody is signed in here.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::me`]. `invalid_credentials` if the password is wrong.
    pub async fn delete_account(&self, request: DeleteAccountRequest) -> Result<(), ApiError> {
        self.send(ApiRequest::new(Method::Delete, paths::ACCOUNT).with_json(&request))
            .await?
            .success()?;
        self.leave().await;
        Ok(())
    }

    /// Changes the password. Every older session ends, and this page goes on with the fresh one that the answer brings:
    /// it stands in the queue like a sign-in, so that no refresh crosses it.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::sign_in`]. `invalid_credentials` if the current password is wrong,
    /// `validation_failed` if the new one is refused.
    pub async fn change_password(&self, request: ChangePasswordRequest) -> Result<User, ApiError> {
        let epoch = self.epoch();
        let request = ApiRequest::new(Method::Post, paths::ACCOUNT_PASSWORD).with_json(&request);
        let first = self.token(epoch).await?;
        let attempt = |bearer| ApiRequest {
            bearer: Some(bearer),
            ..request.clone()
        };
        match self.enter(attempt(first.token.clone())).await {
            Err(ApiError::Problem(problem))
                if problem.code == ProblemCode::InvalidToken && self.may_try_again(&first) =>
            {
                self.apply(Event::TokenRefused { id: first.id });
                let second = self.token(epoch).await?;
                self.enter(attempt(second.token)).await
            }
            answer => answer,
        }
    }

    /// The server has ended the session already: forgets it here, and lets the cookie be cleared for good measure.
    async fn leave(&self) {
        // Whether that is heard changes nothing any more.
        let _ = self.sign_out().await;
    }
}
