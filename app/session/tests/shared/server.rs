//! The other end of the wire: what every server of ours does, whatever it decides about refreshes.

use std::time::Duration;

use api_types::paths;
use session_client::{ApiRequest, ApiResponse};

use super::{
    Clock,
    answers::{ok, problem, signed_in, user_answer},
};

/// An answer, and what becomes of the jar.
pub(crate) type Reply<Cookie> = (ApiResponse, SetCookie<Cookie>);

/// What an answer does to the jar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetCookie<Cookie> {
    No,
    Delete,
    To(Cookie),
}

pub(crate) trait Server: 'static {
    /// What it puts into the refresh cookie.
    type Cookie: Copy;

    /// One that goes by this clock.
    fn new(clock: Clock) -> Self;

    /// Begins a session: somebody gave the right password.
    fn begin(&mut self, name: &str) -> Self::Cookie;

    /// Ends the cookie's session, if it is not over.
    fn end(&mut self, cookie: Self::Cookie, reason: &'static str);

    fn refresh(&mut self, cookie: Self::Cookie) -> Reply<Self::Cookie>;

    /// The access token that is handed out together with this cookie.
    fn token(&self, cookie: Self::Cookie) -> String;

    /// An access token is presented. Whose it is, if it is good.
    fn accept(&mut self, token: &str) -> Option<String>;

    /// Ends the session of an access token, if it is not over.
    fn end_by_token(&mut self, token: &str);

    /// Whose live session this cookie names.
    fn owner(&self, cookie: Self::Cookie) -> Option<String>;

    /// How many sessions are not over.
    fn alive(&self) -> usize;

    /// Whether the network had better lose a refresh that was sent at `sent_at`, before it arrives.
    fn wants_lost(&mut self, _carried: Self::Cookie, _sent_at: Duration) -> bool {
        false
    }

    /// Whether the network had better lose the answer to a request that carried this cookie, because of what the jar
    /// holds by now.
    fn wants_answer_lost(
        &mut self,
        _brought: SetCookie<Self::Cookie>,
        _carried: Option<Self::Cookie>,
        _in_jar: Option<Self::Cookie>,
    ) -> bool {
        false
    }

    /// A request arrives.
    fn act(&mut self, request: &ApiRequest, cookie: Option<Self::Cookie>) -> Reply<Self::Cookie> {
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
                    Some(name) if path == paths::ME => user_answer(&name),
                    Some(name) => ok(format!("\"{name}\"")),
                    None => problem(401, "invalid_token"),
                };
                (answer, SetCookie::No)
            }
        }
    }
}
