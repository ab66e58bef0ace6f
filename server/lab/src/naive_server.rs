//! A token server as tutorials write it, for the strategies that we do not recommend.
//!
//! It has signed access tokens that cannot be revoked. Refresh tokens are rotated and the old one is blacklisted, as
//! Django's `SimpleJWT` does with `ROTATE_REFRESH_TOKENS` and `BLACKLIST_AFTER_ROTATION`. The plain session cookie uses
//! a table of sessions. It does not check where a request comes from, and it accepts forms as well as JSON. How the
//! tokens reach the page, and how they are sent back, depends on the strategy.
//!
//! Its state is part of the run and ends with it.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{FromRequestParts, Path},
    http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use lab_types::{Strategy, live::TokenKind};
use serde_json::{Value, json};
use web::extract::{Json, bearer_token};

use crate::{
    cookies::{in_request, with_cookies},
    naive_tokens::{NaiveClaims, REFRESH_TTL},
    run::Run,
    scope::EvidenceScope,
    state::Lab,
    targets::{ACCESS_COOKIE, REFRESH_COOKIE, SESSION_COOKIE},
};

/// The endpoints, for each strategy under `/weak/{strategy}`.
pub fn router() -> Router<Arc<Lab>> {
    Router::new()
        .route("/weak/{strategy}/login", post(login))
        .route("/weak/{strategy}/refresh", post(refresh))
        .route("/weak/{strategy}/me", get(me))
        .route("/weak/{strategy}/transfer", post(transfer))
        .route("/weak/{strategy}/logout", post(logout))
}

/// A refusal with its reason: this server is talkative, as many are.
struct NaiveRefusal(StatusCode, &'static str);

impl IntoResponse for NaiveRefusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

const NOT_SIGNED_IN: NaiveRefusal = NaiveRefusal(StatusCode::UNAUTHORIZED, "not signed in");

/// A request to this server: the site of one strategy, in one run.
struct Visit {
    lab: Arc<Lab>,
    run: Arc<Run>,
    strategy: Strategy,
    headers: HeaderMap,
}

impl FromRequestParts<Arc<Lab>> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, lab: &Arc<Lab>) -> Result<Self, Response> {
        let Path(strategy) = Path::from_request_parts(parts, lab)
            .await
            .map_err(IntoResponse::into_response)?;
        let scope = EvidenceScope::from_request_parts(parts, lab)
            .await
            .map_err(IntoResponse::into_response)?;
        Ok(Self {
            lab: Arc::clone(lab),
            run: scope.run,
            strategy,
            headers: parts.headers.clone(),
        })
    }
}

impl Visit {
    /// Both tokens, in the format of the strategy.
    fn issue_pair(&self, user: &str) -> Response {
        let issue = |kind| self.lab.naive.issue(self.strategy, user, kind);
        let (access, refresh) = (issue(TokenKind::Access), issue(TokenKind::Refresh));
        if self.strategy == Strategy::ReadableCookie {
            let week = REFRESH_TTL.as_secs();
            let cookies = [
                format!("{ACCESS_COOKIE}={access}; Path=/; Max-Age={week}"),
                format!("{REFRESH_COOKIE}={refresh}; Path=/; Max-Age={week}"),
            ];
            with_cookies(Json(json!({ "signed_in_as": user })).into_response(), &cookies)
        } else {
            Json(json!({ "access_token": access, "refresh_token": refresh })).into_response()
        }
    }

    fn user(&self) -> Option<String> {
        if self.strategy == Strategy::SessionCookie {
            let id = in_request(&self.headers, SESSION_COOKIE)?;
            return self.run.with_state(|state| state.sessions.get(&id).cloned());
        }
        let token = if self.strategy == Strategy::ReadableCookie {
            in_request(&self.headers, ACCESS_COOKIE)?
        } else {
            bearer_token(&self.headers).ok()??.to_owned()
        };
        let claims = self.lab.naive.verify(self.strategy, &token, TokenKind::Access)?;
        Some(claims.sub)
    }

    fn refresh_claims(&self, body: &[u8]) -> Option<NaiveClaims> {
        let token = if self.strategy == Strategy::ReadableCookie {
            in_request(&self.headers, REFRESH_COOKIE)?
        } else {
            self.fields(body).get("refresh_token")?.as_str()?.to_owned()
        };
        self.lab.naive.verify(self.strategy, &token, TokenKind::Refresh)
    }

    /// The fields of a body, in JSON or in a form.
    fn fields(&self, body: &[u8]) -> Value {
        let media_type = self.headers.get(CONTENT_TYPE);
        let media_type = media_type.map_or(&[][..], HeaderValue::as_bytes);
        if media_type.starts_with(b"application/x-www-form-urlencoded") {
            let pairs = url::form_urlencoded::parse(body);
            return pairs
                .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
                .collect::<serde_json::Map<_, _>>()
                .into();
        }
        serde_json::from_slice(body).unwrap_or_default()
    }
}

async fn login(visit: Visit, body: Bytes) -> Result<Response, NaiveRefusal> {
    let fields = visit.fields(&body);
    let field = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let account = visit
        .run
        .accounts
        .authenticate(visit.strategy, field("email"), field("password"))
        .ok_or(NaiveRefusal(StatusCode::UNAUTHORIZED, "wrong email or password"))?;
    if visit.strategy == Strategy::SessionCookie {
        let id = visit.lab.new_id();
        let cookie = format!("{SESSION_COOKIE}={id}; Path=/; HttpOnly");
        let response = Json(json!({ "signed_in_as": account.email })).into_response();
        visit
            .run
            .with_state(|state| state.sessions.insert(id, account.email));
        return Ok(with_cookies(response, &[cookie]));
    }
    Ok(visit.issue_pair(&account.email))
}

async fn refresh(visit: Visit, body: Bytes) -> Result<Response, NaiveRefusal> {
    if visit.strategy == Strategy::SessionCookie {
        return Err(NaiveRefusal(StatusCode::NOT_FOUND, "there are no tokens here"));
    }
    let claims = visit.refresh_claims(&body).ok_or(NOT_SIGNED_IN)?;
    // The first one to use it gets the next token; all others are refused, and nothing else happens.
    let is_new = visit.run.with_state(|state| state.blacklist.insert(claims.jti));
    if !is_new {
        return Err(NaiveRefusal(StatusCode::UNAUTHORIZED, "token is blacklisted"));
    }
    Ok(visit.issue_pair(&claims.sub))
}

async fn me(visit: Visit) -> Result<Json<Value>, NaiveRefusal> {
    let user = visit.user().ok_or(NOT_SIGNED_IN)?;
    Ok(Json(json!({ "email": user })))
}

/// The change that other sites' forms try to make.
async fn transfer(visit: Visit) -> Result<Json<Value>, NaiveRefusal> {
    let user = visit.user().ok_or(NOT_SIGNED_IN)?;
    Ok(Json(json!({ "transferred": 100, "from": user })))
}

async fn logout(visit: Visit, body: Bytes) -> Result<Response, NaiveRefusal> {
    let cookies: &[&str] = match visit.strategy {
        Strategy::SessionCookie => {
            let id = in_request(&visit.headers, SESSION_COOKIE).ok_or(NOT_SIGNED_IN)?;
            let session = visit.run.with_state(|state| state.sessions.remove(&id));
            session.ok_or(NOT_SIGNED_IN)?;
            &[SESSION_COOKIE]
        }
        strategy => {
            let claims = visit.refresh_claims(&body).ok_or(NOT_SIGNED_IN)?;
            visit.run.with_state(|state| state.blacklist.insert(claims.jti));
            match strategy {
                Strategy::ReadableCookie => &[ACCESS_COOKIE, REFRESH_COOKIE],
                _ => &[],
            }
        }
    };
    let expired = cookies.iter().map(|name| format!("{name}=; Path=/; Max-Age=0"));
    Ok(with_cookies(
        StatusCode::NO_CONTENT.into_response(),
        &expired.collect::<Vec<_>>(),
    ))
}
