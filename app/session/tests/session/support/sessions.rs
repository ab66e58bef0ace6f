//! A server with sessions, without time.

use crate::shared::{
    FakeClock, ServerReply, SetCookie, TestServer,
    responses::{problem, problem_with_reason, token_response},
};

#[derive(Default)]
pub(crate) struct InMemorySessions(Vec<SessionRecord>);

struct SessionRecord {
    user: String,
    generation: u64,
    ended: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionCookie {
    session: usize,
    generation: u64,
}

impl InMemorySessions {
    /// Ends ada's session from another device.
    pub(crate) fn revoke_all(&mut self) {
        for session in &mut self.0 {
            session.ended.get_or_insert("revoked_by_user");
        }
    }
}

impl TestServer for InMemorySessions {
    type Cookie = SessionCookie;

    fn new(_: FakeClock) -> Self {
        Self::default()
    }

    fn begin(&mut self, name: &str) -> SessionCookie {
        self.0.push(SessionRecord {
            user: name.to_owned(),
            generation: 1,
            ended: None,
        });
        SessionCookie {
            session: self.0.len() - 1,
            generation: 1,
        }
    }

    fn end(&mut self, cookie: SessionCookie, reason: &'static str) {
        self.0[cookie.session].ended.get_or_insert(reason);
    }

    fn end_by_token(&mut self, token: &str) {
        let session = token
            .split('-')
            .nth(1)
            .and_then(|number| number.parse::<usize>().ok());
        if let Some(session) = session {
            self.0[session].ended.get_or_insert("logout");
        }
    }

    /// Behaves as within the grace period: the parent of the live token always gets the same successor, and older
    /// tokens get 409.
    fn refresh(&mut self, cookie: SessionCookie) -> ServerReply<SessionCookie> {
        let session = &mut self.0[cookie.session];
        if let Some(reason) = session.ended {
            let ended_response = problem_with_reason(401, "session_revoked", reason);
            return (ended_response, SetCookie::Delete);
        }
        if cookie.generation == session.generation {
            session.generation += 1;
        } else if cookie.generation + 1 != session.generation {
            return (problem(409, "refresh_superseded"), SetCookie::No);
        }
        let successor = SessionCookie {
            generation: session.generation,
            ..cookie
        };
        (token_response(&self.token(successor)), SetCookie::To(successor))
    }

    fn token(&self, cookie: SessionCookie) -> String {
        format!("token-{}-{}", cookie.session, cookie.generation)
    }

    fn accept(&mut self, token: &str) -> Option<String> {
        let session = token.split('-').nth(1)?.parse::<usize>().ok()?;
        let session = &self.0[session];
        session.ended.is_none().then(|| session.user.clone())
    }

    fn owner(&self, cookie: SessionCookie) -> Option<String> {
        let session = &self.0[cookie.session];
        session.ended.is_none().then(|| session.user.clone())
    }

    fn active_sessions(&self) -> usize {
        self.0.iter().filter(|session| session.ended.is_none()).count()
    }
}
