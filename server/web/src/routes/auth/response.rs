//! Shared by sign-in, registration and refresh: reads the cookie, and responds with tokens.

use api_types::{
    auth::{TokenResponse, TokenType, User},
    problem::ProblemCode,
};
use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, header::SET_COOKIE},
    response::AppendHeaders,
};
use rotation::{LiveToken, Role, Session, SessionId, SignedToken, Timestamp};
use store::{
    Actor, AuditContext, ClientInfo,
    sessions::{NewSession, SessionLimit},
};

use crate::{
    cookies::{CookieLifetime, CookieLookup},
    current_request::identify,
    error::ApiError,
    state::App,
    wire::wire_seconds,
};

/// A token response and its cookie.
pub(crate) struct IssuedTokens {
    pub(crate) token: TokenResponse,
    pub(crate) cookie: HeaderValue,
}

/// Signs both tokens of a session: an access token, and the refresh token `live_token`. Call it after the commit.
pub(crate) fn issue(
    app: &App,
    session: &Session,
    live_token: &LiveToken,
    role: Role,
    now: Timestamp,
) -> Result<IssuedTokens, ApiError> {
    identify(Some(session.user_id), session.id);
    // Tokens count whole seconds from `iat`, and so do their lifetimes: 15 minutes are 900 seconds.
    let issued_at = now.floor_to_secs();
    // An access token never outlives the refresh token that was issued with it.
    let exp = issued_at
        .saturating_add(app.config.policy.lifetimes.access)
        .min(live_token.expires_at);
    let access = app
        .tokens
        .issue_access(session, live_token.generation, role, app.new_jti(now), now, exp)?;
    let refresh = app.tokens.sign_refresh(session.user_id, session.id, live_token)?;
    let lifetime = if session.remember {
        CookieLifetime::Persistent(issued_at.until(live_token.expires_at))
    } else {
        CookieLifetime::Session
    };
    Ok(IssuedTokens {
        token: TokenResponse {
            access_token: access.expose().to_owned(),
            token_type: TokenType::Bearer,
            expires_in: issued_at.until(exp).as_secs(),
        },
        cookie: app.cookie.set(&refresh, lifetime),
    })
}

/// The cookies of a sign-in: the refresh cookie, and the known-browser cookie for this account. The latter is omitted
/// if “Keep me signed in” was switched off: a shared computer must not be remembered for long.
pub(crate) fn sign_in_cookies(
    app: &App,
    headers: &HeaderMap,
    session: &Session,
    refresh: HeaderValue,
    now: Timestamp,
) -> AppendHeaders<Vec<(HeaderName, HeaderValue)>> {
    let known = session.remember.then(|| {
        app.known_browser
            .remember(headers, session.user_id, now, &*app.random)
    });
    let cookies = std::iter::once(refresh).chain(known);
    AppendHeaders(cookies.map(|cookie| (SET_COOKIE, cookie)).collect())
}

/// The refresh token that the browser sent, if any.
pub(super) fn refresh_token_of(app: &App, headers: &HeaderMap) -> Result<Option<SignedToken>, ApiError> {
    match app.cookie.read(headers) {
        CookieLookup::Missing => Ok(None),
        CookieLookup::Token(token) => Ok(Some(token)),
        // Nothing is cleared: one of the two is genuine, and it is unknown which.
        CookieLookup::Ambiguous => Err(ApiError::new(
            ProblemCode::AmbiguousCookie,
            "Your browser sent two refresh cookies of the same name. Clear this site's cookies and sign in again.",
        )),
    }
}

/// The session that the browser's cookie names, in any state: signing out ends it, a new sign-in replaces it.
pub(super) fn session_of_cookie(app: &App, headers: &HeaderMap) -> Result<Option<SessionId>, ApiError> {
    let token = refresh_token_of(app, headers)?;
    let session = token.and_then(|token| app.tokens.session_of_refresh(token.expose()).ok());
    if let Some(session) = session {
        identify(None, session);
    }
    Ok(session)
}

/// A session that begins now.
pub(crate) fn new_session(
    app: &App,
    now: Timestamp,
    remember: bool,
    client: ClientInfo,
    replaces: Option<SessionId>,
) -> NewSession {
    let absolute_expires_at = app.config.policy.lifetimes.absolute_expiry(now);
    NewSession {
        id: app.new_session_id(now),
        token: app.first_token(now, absolute_expires_at, remember),
        absolute_expires_at,
        remember,
        context: AuditContext {
            now,
            client,
            event: app.new_event(now),
            actor: Actor::Account,
        },
        replaces,
        limit: SessionLimit {
            max: app.config.sessions.max_per_account,
            event: app.new_event(now),
        },
    }
}

/// An account as its owner can see it.
pub(crate) fn user_body(user: &store::users::User) -> User {
    User {
        id: user.id.to_string(),
        email: user.email.clone(),
        display_name: user.display_name.clone(),
        role: user.role.as_str().to_owned(),
        created_at: wire_seconds(user.created_at),
    }
}
