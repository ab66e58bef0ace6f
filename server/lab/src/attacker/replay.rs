//! The requests of the attacker's server with stolen tokens.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use api_types::header::{REQUESTED_WITH, REQUESTED_WITH_KEYTURN};
use axum::{
    body::{Body, to_bytes},
    http::{
        HeaderName, Method, Request, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, ORIGIN, USER_AGENT},
    },
};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use lab_types::{CellId, Evidence, Participant, RecordedExchange, StolenValue, Strategy};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};

use crate::{
    evidence::{cookie_set, exchanges_of},
    run::Run,
    server_state::StolenTokens,
    state::Lab,
    targets::{
        ACCESS_COOKIE, ATTACKER_AGENT, PRODUCT_COOKIE, REFRESH_COOKIE, SESSION_COOKIE, VictimEndpoints,
    },
};

/// The maximum size of a response that is read.
const MAX_BODY: usize = 16 * 1024;
/// The victim's server is on the same machine.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// Whether a piece of loot may work: a compact JWS by its shape, or for a plain session any cookie.
pub fn is_promising(strategy: Strategy, found: &StolenValue) -> bool {
    let plain = |part: &str| {
        part.len() >= 8
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let parts: Vec<&str> = found.value.split('.').collect();
    (parts.len() == 3 && parts.into_iter().all(plain))
        || (strategy == Strategy::SessionCookie && found.place == "document.cookie")
}

/// The last tokens that the victim's server issued to someone, according to the evidence.
pub fn tokens_of(strategy: Strategy, evidence: &[Evidence], who: Participant) -> StolenTokens {
    let mut tokens = StolenTokens::default();
    for exchange in exchanges_of(evidence, who).filter(|exchange| exchange.status < 300) {
        let (access, refresh) = issued_by(strategy, exchange);
        tokens.access = access.or(tokens.access);
        tokens.refresh = refresh.or(tokens.refresh);
    }
    tokens
}

fn issued_by(strategy: Strategy, exchange: &RecordedExchange) -> (Option<String>, Option<String>) {
    let body: Value = serde_json::from_str(&exchange.answer).unwrap_or_default();
    let field = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let cookie = |name: &str| cookie_set(exchange, name).map(str::to_owned);
    match strategy {
        Strategy::SessionCookie => (cookie(SESSION_COOKIE), cookie(SESSION_COOKIE)),
        Strategy::ReadableCookie => (cookie(ACCESS_COOKIE), cookie(REFRESH_COOKIE)),
        Strategy::Keyturn => (field("access_token"), cookie(PRODUCT_COOKIE)),
        _ => (field("access_token"), field("refresh_token")),
    }
}

/// The attacker's server. It is not a browser, so it may send any headers.
#[derive(Debug)]
pub struct Thief<'a> {
    lab: &'a Lab,
    run: &'a Run,
    strategy: Strategy,
    endpoints: VictimEndpoints,
    cell: CellId,
    requests: AtomicU32,
    unanswered: AtomicU32,
}

impl<'a> Thief<'a> {
    pub fn new(lab: &'a Lab, run: &'a Run, strategy: Strategy, cell: CellId) -> Self {
        Self {
            lab,
            run,
            strategy,
            endpoints: VictimEndpoints::of(strategy),
            cell,
            requests: AtomicU32::new(0),
            unanswered: AtomicU32::new(0),
        }
    }

    /// The number of requests, and how many of them got no response.
    pub fn summary(&self) -> Evidence {
        Evidence::LootTried {
            at_ms: self.run.now_ms(),
            requests: self.requests.load(Ordering::Relaxed),
            unanswered: self.unanswered.load(Ordering::Relaxed),
        }
    }

    /// Reads the victim's profile with a possible access token; if that fails, tries it as a refresh token.
    pub async fn try_value(&self, value: &str) {
        if self.use_access(value).await != StatusCode::OK {
            self.use_refresh(value).await;
        }
    }

    /// Reads the victim's profile.
    pub async fn use_access(&self, token: &str) -> StatusCode {
        let header = match self.strategy {
            Strategy::SessionCookie => (COOKIE, format!("{SESSION_COOKIE}={token}")),
            Strategy::ReadableCookie => (COOKIE, format!("{ACCESS_COOKIE}={token}")),
            _ => (AUTHORIZATION, format!("Bearer {token}")),
        };
        self.send(Method::GET, &self.endpoints.me, header, String::new())
            .await
    }

    /// Requests new tokens, and reads the victim's profile with them.
    pub async fn use_refresh(&self, token: &str) -> StatusCode {
        let (header, body) = match self.strategy {
            Strategy::SessionCookie => return self.use_access(token).await,
            Strategy::Keyturn => ((COOKIE, format!("{PRODUCT_COOKIE}={token}")), String::new()),
            Strategy::ReadableCookie => ((COOKIE, format!("{REFRESH_COOKIE}={token}")), String::new()),
            _ => (
                (CONTENT_TYPE, "application/json".to_owned()),
                json!({ "refresh_token": token }).to_string(),
            ),
        };
        let status = self
            .send(Method::POST, &self.endpoints.refresh, header, body)
            .await;
        if status == StatusCode::OK
            && let Some(access) = self.own_tokens().access
        {
            self.use_access(&access).await;
        }
        status
    }

    /// The tokens that the victim's server issued to the thief.
    pub fn own_tokens(&self) -> StolenTokens {
        tokens_of(
            self.strategy,
            &self.run.evidence(self.cell),
            Participant::Attacker,
        )
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        header: (HeaderName, String),
        body: String,
    ) -> StatusCode {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let status = timeout(TIME_LIMIT, self.exchange(method, path, header, body)).await;
        status.ok().and_then(Result::ok).unwrap_or_else(|| {
            self.unanswered.fetch_add(1, Ordering::Relaxed);
            let text = "The attacker’s server got no answer.";
            self.run.note(self.cell, Participant::Attacker, None, text);
            StatusCode::BAD_GATEWAY
        })
    }

    /// Uses a separate connection to the victim's listener: names like `lab.localhost` mean nothing outside a browser.
    async fn exchange(
        &self,
        method: Method,
        path: &str,
        (name, value): (HeaderName, String),
        body: String,
    ) -> Result<StatusCode, Box<dyn std::error::Error + Send + Sync>> {
        let sites = &self.lab.sites;
        let stream = TcpStream::connect(sites.listen).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let address = format!("{path}?run={}&cell={}", self.run.id, self.cell);
        let request = Request::builder()
            .method(method)
            .uri(address)
            .header(HOST, sites.victim.authority())
            .header(USER_AGENT, ATTACKER_AGENT)
            // Browsers do not let a page forge these headers; other clients can.
            .header(ORIGIN, sites.victim.as_str())
            .header("sec-fetch-site", "same-origin")
            .header(REQUESTED_WITH, REQUESTED_WITH_KEYTURN)
            .header(name, value)
            .body(Body::from(body))?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        to_bytes(Body::new(response.into_body()), MAX_BODY).await?;
        connection.abort();
        Ok(status)
    }
}
