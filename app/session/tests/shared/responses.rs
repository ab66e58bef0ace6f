//! Responses in the server's format. They are literal text, so that a mistake in the wire types cannot cancel itself
//! out.

use api_types::auth::{LoginRequest, User};
use session_client::{ApiResponse, SessionView};

use super::secs;

/// `expires_in` of every token here, in seconds.
pub(crate) const TTL: u64 = 900;

pub(crate) fn ok(body: impl Into<String>) -> ApiResponse {
    ApiResponse {
        status: 200,
        body: body.into(),
        retry_after: None,
    }
}

/// The response to a refresh.
pub(crate) fn token_response(token: &str) -> ApiResponse {
    ok(format!(
        r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":{TTL}}}"#
    ))
}

/// The response to `GET /api/me`.
pub(crate) fn user_response(name: &str) -> ApiResponse {
    ok(user_json(name))
}

/// The response to a sign-in.
pub(crate) fn signed_in(token: &str, name: &str) -> ApiResponse {
    let user = user_json(name);
    ok(format!(
        r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":{TTL},"user":{user}}}"#
    ))
}

pub(crate) fn problem(status: u16, code: &str) -> ApiResponse {
    let body = format!(
        r#"{{"type":"/problems/{code}","title":"Title","status":{status},"detail":"Detail","code":"{code}"}}"#
    );
    ApiResponse {
        status,
        body,
        retry_after: None,
    }
}

pub(crate) fn problem_with_reason(status: u16, code: &str, reason: &str) -> ApiResponse {
    let mut answer = problem(status, code);
    answer.body = answer
        .body
        .replace(r#""code""#, &format!(r#""reason":"{reason}","code""#));
    answer
}

pub(crate) fn user(name: &str) -> User {
    User {
        id: format!("id-{name}"),
        email: format!("{name}@example.com"),
        display_name: None,
        role: "user".into(),
        created_at: 1_763_692_800,
    }
}

pub(crate) fn signed_in_view(name: &str, expires_at: u64) -> SessionView {
    SessionView::SignedIn {
        user: user(name),
        expires_at: secs(expires_at),
    }
}

pub(crate) fn login() -> LoginRequest {
    LoginRequest {
        email: "bob@example.com".into(),
        password: "correct horse battery".into(),
        remember: true,
    }
}

fn user_json(name: &str) -> String {
    format!(
        r#"{{"id":"id-{name}","email":"{name}@example.com","display_name":null,"role":"user","created_at":1763692800}}"#
    )
}
