//! A token server as tutorials write it, for the strategies that we do not recommend.
//!
//! It has signed access tokens that cannot be revoked. Refresh tokens are rotated and the old one is blacklisted, as
//! Django's `SimpleJWT` does with `ROTATE_REFRESH_TOKENS` and `BLACKLIST_AFTER_ROTATION`. The plain session cookie uses
//! a table of sessions. It does not check where a request comes from, and it accepts forms as well as JSON. How the
//! tokens reach the page, and how they are sent back, depends on the strategy.
//!
//! Its state is part of the run and ends with it; its key is generated at every start.

use std::{fmt, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CONTENT_TYPE, SET_COOKIE},
    },
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use lab_types::Strategy;
use rotation::Clock;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use web::{
    cookies::{CookieLookup, RefreshCookie},
    extract::{Json, bearer_token},
    random::Random,
};

use super::{Lab, recorder::Of, runs::Run};

const ACCESS_TTL: Duration = Duration::from_mins(15);
const REFRESH_TTL: Duration = Duration::from_hours(7 * 24);

/// The names of its cookies.
pub const ACCESS_COOKIE: &str = "lab_access";
pub const REFRESH_COOKIE: &str = "lab_refresh";
pub const SESSION_COOKIE: &str = "lab_session";

/// The server's keys and its sources of time and randomness.
pub struct Tutorial {
    sign: EncodingKey,
    verify: DecodingKey,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: String,
    aud: String,
    typ: Kind,
    jti: String,
    exp: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Access,
    Refresh,
}

/// A refusal with its reason: this server is talkative, as many are.
struct Refused(StatusCode, &'static str);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

const NOT_SIGNED_IN: Refused = Refused(StatusCode::UNAUTHORIZED, "not signed in");

impl Tutorial {
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        let key = random.bytes::<32>();
        Self {
            sign: EncodingKey::from_secret(&key),
            verify: DecodingKey::from_secret(&key),
            clock,
            random,
        }
    }

    /// An unguessable id.
    pub fn id(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.random.bytes::<16>())
    }

    fn issue(&self, strategy: Strategy, user: &str, typ: Kind, ttl: Duration) -> String {
        let claims = Claims {
            sub: user.to_owned(),
            // Each strategy is a separate site: its tokens are not valid for the others.
            aud: strategy.slug().into(),
            typ,
            jti: self.id(),
            exp: self.clock.now().saturating_add(ttl).secs(),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.sign)
            .expect("an HMAC over plain claims cannot fail")
    }

    fn check(&self, strategy: Strategy, token: &str, typ: Kind) -> Option<Claims> {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_audience(&[strategy.slug()]);
        // Checked below, with our own clock.
        rules.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &self.verify, &rules)
            .ok()?
            .claims;
        (claims.typ == typ && claims.exp > self.clock.now().secs()).then_some(claims)
    }

    /// Both tokens, in the format of the strategy.
    fn hand_out(&self, strategy: Strategy, user: &str) -> Response {
        let access = self.issue(strategy, user, Kind::Access, ACCESS_TTL);
        let refresh = self.issue(strategy, user, Kind::Refresh, REFRESH_TTL);
        if strategy == Strategy::ReadableCookie {
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
}

impl fmt::Debug for Tutorial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tutorial").finish_non_exhaustive()
    }
}

/// The endpoints, for each strategy under `/weak/{strategy}`.
pub fn router() -> Router<Arc<Lab>> {
    Router::new()
        .route("/weak/{strategy}/login", post(login))
        .route("/weak/{strategy}/refresh", post(refresh))
        .route("/weak/{strategy}/me", get(me))
        .route("/weak/{strategy}/transfer", post(transfer))
        .route("/weak/{strategy}/logout", post(logout))
}

async fn login(
    State(lab): State<Arc<Lab>>,
    Path(strategy): Path<Strategy>,
    Query(of): Query<Of>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    let run = of.run(&lab).ok_or(NOT_SIGNED_IN)?;
    let fields = fields(&headers, &body);
    let field = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let person = run
        .people
        .check(strategy, field("email"), field("password"))
        .ok_or(Refused(StatusCode::UNAUTHORIZED, "wrong email or password"))?;
    if strategy == Strategy::SessionCookie {
        let id = lab.tutorial.id();
        run.tables(|tables| tables.sessions.insert(id.clone(), person.email.clone()));
        let cookie = format!("{SESSION_COOKIE}={id}; Path=/; HttpOnly");
        return Ok(with_cookies(
            Json(json!({ "signed_in_as": person.email })).into_response(),
            &[cookie],
        ));
    }
    Ok(lab.tutorial.hand_out(strategy, &person.email))
}

async fn refresh(
    State(lab): State<Arc<Lab>>,
    Path(strategy): Path<Strategy>,
    Query(of): Query<Of>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    let run = of.run(&lab).ok_or(NOT_SIGNED_IN)?;
    if strategy == Strategy::SessionCookie {
        return Err(Refused(StatusCode::NOT_FOUND, "there are no tokens here"));
    }
    let claims = refresh_claims(&lab, strategy, &headers, &body).ok_or(NOT_SIGNED_IN)?;
    // The first one to use it gets the next token; all others are refused, and nothing else happens.
    let is_new = run.tables(|tables| tables.blacklist.insert(claims.jti));
    if !is_new {
        return Err(Refused(StatusCode::UNAUTHORIZED, "token is blacklisted"));
    }
    Ok(lab.tutorial.hand_out(strategy, &claims.sub))
}

async fn me(
    State(lab): State<Arc<Lab>>,
    Path(strategy): Path<Strategy>,
    Query(of): Query<Of>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let run = of.run(&lab).ok_or(NOT_SIGNED_IN)?;
    let user = user_of(&lab, &run, strategy, &headers).ok_or(NOT_SIGNED_IN)?;
    Ok(Json(json!({ "email": user })).into_response())
}

/// The change that other sites' forms try to make.
async fn transfer(
    State(lab): State<Arc<Lab>>,
    Path(strategy): Path<Strategy>,
    Query(of): Query<Of>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let run = of.run(&lab).ok_or(NOT_SIGNED_IN)?;
    let user = user_of(&lab, &run, strategy, &headers).ok_or(NOT_SIGNED_IN)?;
    Ok(Json(json!({ "transferred": 100, "from": user })).into_response())
}

async fn logout(
    State(lab): State<Arc<Lab>>,
    Path(strategy): Path<Strategy>,
    Query(of): Query<Of>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    let run = of.run(&lab).ok_or(NOT_SIGNED_IN)?;
    let gone = StatusCode::NO_CONTENT.into_response();
    if strategy == Strategy::SessionCookie {
        let id = cookie(&headers, SESSION_COOKIE).ok_or(NOT_SIGNED_IN)?;
        run.tables(|tables| tables.sessions.remove(&id))
            .ok_or(NOT_SIGNED_IN)?;
        return Ok(with_cookies(gone, &[expired(SESSION_COOKIE)]));
    }
    let claims = refresh_claims(&lab, strategy, &headers, &body).ok_or(NOT_SIGNED_IN)?;
    run.tables(|tables| tables.blacklist.insert(claims.jti));
    Ok(if strategy == Strategy::ReadableCookie {
        with_cookies(gone, &[expired(ACCESS_COOKIE), expired(REFRESH_COOKIE)])
    } else {
        gone
    })
}

fn user_of(lab: &Lab, run: &Run, strategy: Strategy, headers: &HeaderMap) -> Option<String> {
    match strategy {
        Strategy::SessionCookie => {
            let id = cookie(headers, SESSION_COOKIE)?;
            run.tables(|tables| tables.sessions.get(&id).cloned())
        }
        Strategy::ReadableCookie => {
            let token = cookie(headers, ACCESS_COOKIE)?;
            Some(lab.tutorial.check(strategy, &token, Kind::Access)?.sub)
        }
        _ => {
            let token = bearer_token(headers).ok()??;
            Some(lab.tutorial.check(strategy, token, Kind::Access)?.sub)
        }
    }
}

fn refresh_claims(lab: &Lab, strategy: Strategy, headers: &HeaderMap, body: &[u8]) -> Option<Claims> {
    let token = if strategy == Strategy::ReadableCookie {
        cookie(headers, REFRESH_COOKIE)?
    } else {
        fields(headers, body).get("refresh_token")?.as_str()?.to_owned()
    };
    lab.tutorial.check(strategy, &token, Kind::Refresh)
}

/// The fields of a body, in JSON or in a form.
fn fields(headers: &HeaderMap, body: &[u8]) -> Value {
    let media_type = headers.get(CONTENT_TYPE).map_or(&[][..], HeaderValue::as_bytes);
    if media_type.starts_with(b"application/x-www-form-urlencoded") {
        let pairs = url::form_urlencoded::parse(body);
        return Value::Object(
            pairs
                .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
                .collect(),
        );
    }
    serde_json::from_slice(body).unwrap_or_default()
}

/// The value of a cookie in a request.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    match RefreshCookie::new(name).read(headers) {
        CookieLookup::Token(value) => Some(value.expose().to_owned()),
        CookieLookup::Missing | CookieLookup::Ambiguous => None,
    }
}

fn expired(name: &str) -> String {
    format!("{name}=; Path=/; Max-Age=0")
}

/// Adds cookies to a response.
///
/// # Panics
/// If a cookie is not visible ASCII.
pub fn with_cookies(mut response: Response, cookies: &[String]) -> Response {
    for cookie in cookies {
        let value = HeaderValue::try_from(cookie.as_str()).expect("names and tokens are visible ASCII");
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}
