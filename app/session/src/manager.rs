//! The public handle.

use std::{future::Future, time::Duration};

use api_types::{
    auth::{LoginRequest, RegisterRequest, UpdateMeRequest, User},
    session::SessionInfo,
};

use crate::{ApiError, ApiRequest, ApiResponse, Ports, SessionView};

/// The session of this page. Clones share it.
#[derive(Clone)]
pub struct SessionManager {}

impl SessionManager {
    /// Makes a manager that starts with `initial`, and the future that drives it; spawn that once.
    pub fn new(_ports: Ports, _initial: SessionView) -> (Self, impl Future<Output = ()> + 'static) {
        (Self {}, async {})
    }
    /// The session right now.
    pub fn view(&self) -> SessionView {
        todo!()
    }
    /// Calls `listener` after every change of the view.
    pub fn on_change(&self, _listener: impl Fn(SessionView) + 'static) {
        todo!()
    }
    /// The monotonic clock's time, for countdowns against `SessionView::SignedIn::expires_at`.
    pub fn now(&self) -> Duration {
        todo!()
    }
    /// The silent refresh: brings a session back after a page load. Waits until that is settled.
    pub async fn restore(&self) -> SessionView {
        todo!()
    }
    pub async fn register(&self, _request: RegisterRequest) -> Result<User, ApiError> {
        todo!()
    }
    pub async fn sign_in(&self, _request: LoginRequest) -> Result<User, ApiError> {
        todo!()
    }
    /// Forgets the access token at once, then ends the session on the server.
    pub async fn sign_out(&self) -> Result<(), ApiError> {
        todo!()
    }
    /// Sends a request with the access token; on a 401 refreshes once and replays once.
    pub async fn send(&self, _request: ApiRequest) -> Result<ApiResponse, ApiError> {
        todo!()
    }
    pub async fn me(&self) -> Result<User, ApiError> {
        todo!()
    }
    pub async fn update_me(&self, _request: UpdateMeRequest) -> Result<User, ApiError> {
        todo!()
    }
    pub async fn session_info(&self) -> Result<SessionInfo, ApiError> {
        todo!()
    }
}
