//! A client with a cookie jar and an access token, and its requests to the lab's product.

use api_types::{paths, problem::Problem};
use axum::{
    body::{Body, to_bytes},
    http::{
        self, Method, Request,
        header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, USER_AGENT},
        request,
    },
};
use lab_types::live::{Actor, HeldTokens, ResponseSummary};
use rotation::{Generation, Jti, SessionId, SignedToken, designs::Verdict};
use serde::Deserialize;
use serde_json::json;

use crate::{accounts::Credentials, cookies::in_response, product::Product, targets::ATTACKER_AGENT};

/// The maximum size of a response that is read.
const MAX_BODY: usize = 16 * 1024;
/// The user agent of the owner's browser in the product's tables.
const OWNER_AGENT: &str = "owner/1.0";

/// A refresh token as it was issued.
#[derive(Debug, Clone)]
pub(super) struct IssuedRefresh {
    pub(super) session: SessionId,
    pub(super) generation: Generation,
    pub(super) jti: Jti,
    pub(super) text: SignedToken,
}

/// An access token, and the generation of the refresh token that was issued with it.
#[derive(Debug, Clone)]
pub(super) struct IssuedAccess {
    pub(super) generation: Generation,
    pub(super) text: SignedToken,
}

/// The tokens that a client holds.
#[derive(Debug, Clone, Default)]
pub(super) struct ClientTokens {
    pub(super) refresh: Option<IssuedRefresh>,
    pub(super) access: Option<IssuedAccess>,
}

impl ClientTokens {
    pub(super) fn held(&self) -> HeldTokens {
        HeldTokens {
            refresh: self.refresh.as_ref().map(|token| token.generation.number()),
            access: self.access.as_ref().map(|token| token.generation.number()),
        }
    }
}

/// Something for each actor.
pub(super) type PerActor<T> = [(Actor, T); 2];

/// A response, with all issued tokens.
#[derive(Debug)]
pub(super) struct ClientResponse {
    pub(super) answer: ResponseSummary,
    pub(super) refresh: Option<IssuedRefresh>,
    pub(super) access: Option<IssuedAccess>,
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
pub(super) async fn register(
    product: &Product,
    account: &Credentials,
) -> Result<ClientResponse, http::Error> {
    let request = request(product, Actor::Owner, Method::POST, paths::REGISTER)
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(json!(account).to_string()))?;
    Ok(send(product, request).await)
}

/// Reads the account, as a page does with every access token that it gets.
pub(super) async fn read_account(
    product: &Product,
    who: Actor,
    token: &IssuedAccess,
) -> Result<ClientResponse, http::Error> {
    let request = request(product, who, Method::GET, paths::ME)
        .header(AUTHORIZATION, format!("Bearer {}", token.text.expose()))
        .body(Body::empty())?;
    Ok(send(product, request).await)
}

/// Sends a refresh token; without one the request is sent all the same.
pub(super) async fn send_cookie(
    product: &Product,
    who: Actor,
    path: &str,
    token: Option<&IssuedRefresh>,
) -> Result<ClientResponse, http::Error> {
    let mut request = request(product, who, Method::POST, path);
    if let Some(token) = token {
        let name = &product.app.config.cookie_name;
        request = request.header(COOKIE, format!("{name}={}", token.text.expose()));
    }
    Ok(send(product, request.body(Body::empty())?).await)
}

fn request(product: &Product, who: Actor, method: Method, path: &str) -> request::Builder {
    let agent = match who {
        Actor::Owner => OWNER_AGENT,
        Actor::Thief => ATTACKER_AGENT,
    };
    product.request(method, path).header(USER_AGENT, agent)
}

async fn send(product: &Product, request: Request<Body>) -> ClientResponse {
    let (parts, body) = product.send(request).await.into_parts();
    let body = to_bytes(body, MAX_BODY).await.unwrap_or_default();
    let cookie = in_response(&parts.headers, &product.app.config.cookie_name);
    let refresh = cookie.and_then(|text| read(product, text));
    let access = serde_json::from_slice::<TokenBody>(&body)
        .ok()
        .zip(refresh.as_ref())
        .map(|(body, refresh)| IssuedAccess {
            generation: refresh.generation,
            text: SignedToken::new(body.access_token),
        });
    let problem: Option<Problem> = serde_json::from_slice(&body).ok();
    ClientResponse {
        answer: ResponseSummary {
            status: parts.status.as_u16(),
            code: problem.as_ref().map(|problem| problem.code),
            reason: problem.and_then(|problem| problem.reason),
        },
        clears: cookie.is_some_and(str::is_empty),
        refresh,
        access,
        verdict: None,
    }
}

/// The content of the token, as the product parses it.
fn read(product: &Product, text: &str) -> Option<IssuedRefresh> {
    let claims = product
        .app
        .tokens
        .verify_refresh(text, product.app.clock.now())
        .ok()?;
    Some(IssuedRefresh {
        session: claims.sid,
        generation: claims.generation,
        jti: claims.jti,
        text: SignedToken::new(text.to_owned()),
    })
}
