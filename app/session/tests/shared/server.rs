//! The server side: the behaviour that all servers here share, whatever they decide about refreshes.

use std::time::Duration;

use api_types::paths;
use session_client::{ApiRequest, ApiResponse};

use super::{
    FakeClock,
    responses::{ok, problem, signed_in, user_response},
};

/// A response, and its effect on the jar.
pub(crate) type ServerReply<Cookie> = (ApiResponse, SetCookie<Cookie>);

/// The effect of a response on the jar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetCookie<Cookie> {
    No,
    Delete,
    To(Cookie),
}

pub(crate) trait TestServer: 'static {
    /// The content of the refresh cookie.
    type Cookie: Copy;

    /// A server with this clock.
    fn new(clock: FakeClock) -> Self;

    /// Begins a session after a successful sign-in.
    fn begin(&mut self, name: &str) -> Self::Cookie;

    /// Ends the cookie's session, if it is active.
    fn end(&mut self, cookie: Self::Cookie, reason: &'static str);

    fn refresh(&mut self, cookie: Self::Cookie) -> ServerReply<Self::Cookie>;

    /// The access token that is issued together with this cookie.
    fn token(&self, cookie: Self::Cookie) -> String;

    /// Checks an access token. Returns its user if it is valid.
    fn accept(&mut self, token: &str) -> Option<String>;

    /// Ends the session of an access token, if it is active.
    fn end_by_token(&mut self, token: &str);

    /// The user whose active session this cookie identifies.
    fn owner(&self, cookie: Self::Cookie) -> Option<String>;

    /// Number of active sessions.
    fn active_sessions(&self) -> usize;

    /// Whether the network loses a refresh that was sent at `sent_at`, before it arrives.
    fn loses_request(&mut self, _sent_cookie: Self::Cookie, _sent_at: Duration) -> bool {
        false
    }

    /// Whether the network loses the response to a request that carried this cookie, because of the current cookie in
    /// the jar.
    fn loses_response(
        &mut self,
        _jar_change: SetCookie<Self::Cookie>,
        _sent_cookie: Option<Self::Cookie>,
        _in_jar: Option<Self::Cookie>,
    ) -> bool {
        false
    }

    /// Handles a request that arrives.
    fn handle(&mut self, request: &ApiRequest, cookie: Option<Self::Cookie>) -> ServerReply<Self::Cookie> {
        match (request.path.as_str(), cookie) {
            (paths::REFRESH, Some(cookie)) => self.refresh(cookie),
            (paths::REFRESH, None) => (problem(401, "refresh_missing"), SetCookie::No),
            (paths::LOGOUT, cookie) => {
                if let Some(cookie) = cookie {
                    self.end(cookie, "logout");
                }
                if let Some(bearer) = &request.bearer {
                    self.end_by_token(bearer.expose());
                }
                let done = ApiResponse {
                    status: 204,
                    ..ok("")
                };
                (done, SetCookie::Delete)
            }
            (paths::LOGIN, before) => {
                let body = request.body.as_deref().unwrap_or_default();
                let name = ["ada", "bob"]
                    .into_iter()
                    .find(|name| body.contains(&format!("{name}@example.com")));
                let Some(name) = name else {
                    return (problem(401, "invalid_credentials"), SetCookie::No);
                };
                if let Some(before) = before {
                    self.end(before, "replaced");
                }
                let cookie = self.begin(name);
                (signed_in(&self.token(cookie), name), SetCookie::To(cookie))
            }
            (path, _) => {
                let bearer = request.bearer.as_ref();
                let answer = match bearer.and_then(|bearer| self.accept(bearer.expose())) {
                    Some(name) if path == paths::ME => user_response(&name),
                    Some(name) => ok(format!("\"{name}\"")),
                    None => problem(401, "invalid_token"),
                };
                (answer, SetCookie::No)
            }
        }
    }
}
