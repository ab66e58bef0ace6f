//! A client with a cookie jar and an access token, and its requests to the lab's product.

use api_types::{
    auth::RegisterRequest,
    header::{REQUESTED_WITH, REQUESTED_WITH_KEYTURN},
    paths,
    problem::Problem,
};
use axum::{
    body::{Body, to_bytes},
    http::{
        HeaderMap, Method, Request,
        header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, ORIGIN, SET_COOKIE, USER_AGENT},
    },
};
use lab_types::live::{Answer, Hand, Held};
use rotation::{Generation, Jti, SessionId, SignedToken, designs::Verdict};
use serde::Deserialize;
use tower::ServiceExt;

use crate::{Lab, attacker, runs::Person};

/// The maximum size of a response that is read.
const ANSWER: usize = 16 * 1024;
/// The user agent of the owner's browser in the product's tables.
const OWNER_AGENT: &str = "owner/1.0";

/// A refresh token as it was issued.
#[derive(Debug, Clone)]
pub(super) struct Refresh {
    pub(super) session: SessionId,
    pub(super) generation: Generation,
    pub(super) jti: Jti,
    pub(super) text: SignedToken,
}

/// An access token, and the generation of the refresh token that was issued with it.
#[derive(Debug, Clone)]
pub(super) struct Access {
    pub(super) generation: Generation,
    pub(super) text: SignedToken,
}

/// The tokens that a client holds.
#[derive(Debug, Clone, Default)]
pub(super) struct Jar {
    pub(super) refresh: Option<Refresh>,
    pub(super) access: Option<Access>,
}

impl Jar {
    pub(super) fn held(&self) -> Held {
        Held {
            refresh: self.refresh.as_ref().map(|token| token.generation.number()),
            access: self.access.as_ref().map(|token| token.generation.number()),
        }
    }
}

/// A response, with all issued tokens.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) answer: Answer,
    pub(super) refresh: Option<Refresh>,
    pub(super) access: Option<Access>,
    /// The response deletes the cookie.
    pub(super) clears: bool,
    /// A model's verdict on the token. The product does not reveal its own.
    pub(super) verdict: Option<Verdict>,
}

/// The members that all token responses share.
#[derive(Deserialize)]
struct TokenBody {
    access_token: String,
}

/// Creates an account and signs in.
///
/// # Errors
/// Why the request could not be made.
pub(super) async fn register(lab: &Lab, person: &Person) -> Result<Reply, axum::http::Error> {
    let body = RegisterRequest {
        email: person.email.clone(),
        password: person.password.clone(),
        display_name: None,
    };
    let body = serde_json::to_vec(&body).unwrap_or_default();
    let request = request(lab, Hand::Owner, Method::POST, paths::REGISTER)
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(body))?;
    Ok(send(lab, request).await)
}

/// Exchanges a refresh token; without one the request is sent all the same.
pub(super) async fn renew(lab: &Lab, who: Hand, token: Option<&Refresh>) -> Result<Reply, axum::http::Error> {
    by_cookie(lab, who, paths::REFRESH, token).await
}

/// Signs out.
pub(super) async fn sign_out(
    lab: &Lab,
    who: Hand,
    token: Option<&Refresh>,
) -> Result<Reply, axum::http::Error> {
    by_cookie(lab, who, paths::LOGOUT, token).await
}

/// Reads the account, as a page does with every access token that it gets.
pub(super) async fn read_account(lab: &Lab, who: Hand, token: &Access) -> Result<Reply, axum::http::Error> {
    let request = request(lab, who, Method::GET, paths::ME)
        .header(AUTHORIZATION, format!("Bearer {}", token.text.expose()))
        .body(Body::empty())?;
    Ok(send(lab, request).await)
}

async fn by_cookie(
    lab: &Lab,
    who: Hand,
    path: &str,
    token: Option<&Refresh>,
) -> Result<Reply, axum::http::Error> {
    let mut request = request(lab, who, Method::POST, path);
    if let Some(token) = token {
        let cookie = format!("{}={}", lab.ours.config.cookie_name, token.text.expose());
        request = request.header(COOKIE, cookie);
    }
    Ok(send(lab, request.body(Body::empty())?).await)
}

/// A request as the product's page would send it. Browsers do not let other pages forge these headers; a thief's client
/// can.
fn request(lab: &Lab, who: Hand, method: Method, path: &str) -> axum::http::request::Builder {
    let agent = match who {
        Hand::Owner => OWNER_AGENT,
        Hand::Thief => attacker::USER_AGENT,
    };
    Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, lab.sites.victim.authority())
        .header(ORIGIN, lab.sites.victim.as_str())
        .header("sec-fetch-site", "same-origin")
        .header(REQUESTED_WITH, REQUESTED_WITH_KEYTURN)
        .header(USER_AGENT, agent)
}

async fn send(lab: &Lab, request: Request<Body>) -> Reply {
    let Ok(answer) = lab.product.clone().oneshot(request).await;
    let (parts, body) = answer.into_parts();
    let body = to_bytes(body, ANSWER).await.unwrap_or_default();
    let cookie = cookie(lab, &parts.headers);
    let refresh = cookie.as_deref().and_then(|text| read(lab, text));
    let access = serde_json::from_slice::<TokenBody>(&body)
        .ok()
        .zip(refresh.as_ref())
        .map(|(body, refresh)| Access {
            generation: refresh.generation,
            text: SignedToken::new(body.access_token),
        });
    let problem: Option<Problem> = serde_json::from_slice(&body).ok();
    Reply {
        answer: Answer {
            status: parts.status.as_u16(),
            code: problem.as_ref().map(|problem| problem.code),
            reason: problem.and_then(|problem| problem.reason),
        },
        clears: cookie.is_some_and(|text| text.is_empty()),
        refresh,
        access,
        verdict: None,
    }
}

/// The value of the refresh cookie that the response sets.
fn cookie(lab: &Lab, headers: &HeaderMap) -> Option<String> {
    headers.get_all(SET_COOKIE).into_iter().find_map(|value| {
        let (name, rest) = value.to_str().ok()?.split_once('=')?;
        let value = rest.split(';').next()?;
        (name == lab.ours.config.cookie_name).then(|| value.to_owned())
    })
}

/// The content of the token, as the product parses it.
fn read(lab: &Lab, text: &str) -> Option<Refresh> {
    let claims = lab.ours.tokens.verify_refresh(text, lab.ours.clock.now()).ok()?;
    Some(Refresh {
        session: claims.sid,
        generation: claims.generation,
        jti: claims.jti,
        text: SignedToken::new(text.to_owned()),
    })
}
