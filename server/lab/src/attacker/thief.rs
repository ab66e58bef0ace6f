//! The requests of the attacker's server with stolen tokens.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use api_types::header::{REQUESTED_WITH, REQUESTED_WITH_KEYTURN};
use axum::{
    body::{Body, to_bytes},
    http::{
        Method, Request, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, ORIGIN, USER_AGENT as AGENT},
    },
};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use lab_types::{Evidence, Exchange, Found, Place, Strategy, Who};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};

use super::{Doors, USER_AGENT};
use crate::{
    Lab, recorder,
    runs::Run,
    tutorial::{ACCESS_COOKIE, REFRESH_COOKIE, SESSION_COOKIE},
};

/// The maximum size of a response that is read.
const ANSWER: usize = 16 * 1024;
/// The victim's server is on the same machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether a piece of loot may work: a compact JWS by its shape, or for a plain session any cookie.
pub fn is_promising(strategy: Strategy, found: &Found) -> bool {
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

/// Copies of stolen tokens, however the thief got them.
#[derive(Debug, Clone, Default)]
pub struct Copies {
    pub access: Option<String>,
    pub refresh: Option<String>,
}

impl Copies {
    /// The last tokens that the victim's server issued, according to the evidence.
    pub fn of(lab: &Lab, strategy: Strategy, evidence: &[Evidence], who: Who) -> Self {
        let mut copies = Self::default();
        let answers = evidence.iter().filter_map(|one| match one {
            Evidence::Exchange(exchange) if exchange.who == who && exchange.status < 300 => Some(exchange),
            _ => None,
        });
        for answer in answers {
            copies.take(lab, strategy, answer);
        }
        copies
    }

    fn take(&mut self, lab: &Lab, strategy: Strategy, answer: &Exchange) {
        let body: Value = serde_json::from_str(&answer.answer).unwrap_or_default();
        let field = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        let cookie = |name: &str| recorder::cookie_set(answer, name).map(str::to_owned);
        let (access, refresh) = match strategy {
            Strategy::SessionCookie => (cookie(SESSION_COOKIE), cookie(SESSION_COOKIE)),
            Strategy::ReadableCookie => (cookie(ACCESS_COOKIE), cookie(REFRESH_COOKIE)),
            Strategy::Keyturn => (field("access_token"), cookie(&lab.ours.config.cookie_name)),
            _ => (field("access_token"), field("refresh_token")),
        };
        self.access = access.or(self.access.take());
        self.refresh = refresh.or(self.refresh.take());
    }
}

/// The attacker's server. It is not a browser, so it may send any headers.
#[derive(Debug)]
pub struct Thief<'a> {
    lab: &'a Lab,
    run: &'a Run,
    strategy: Strategy,
    cell: Place,
    requests: AtomicU32,
    unanswered: AtomicU32,
}

impl<'a> Thief<'a> {
    pub fn new(lab: &'a Lab, run: &'a Run, strategy: Strategy, cell: Place) -> Self {
        Self {
            lab,
            run,
            strategy,
            cell,
            requests: AtomicU32::new(0),
            unanswered: AtomicU32::new(0),
        }
    }

    /// The number of requests, and how many of them got no response.
    pub fn tally(&self) -> (u32, u32) {
        (
            self.requests.load(Ordering::Relaxed),
            self.unanswered.load(Ordering::Relaxed),
        )
    }

    /// Reads the victim's profile with a possible access token; if that fails, tries it as a refresh token.
    pub async fn try_out(&self, value: &str) {
        if self.use_access(value).await != StatusCode::OK {
            self.use_refresh(value).await;
        }
    }

    /// Reads the victim's profile.
    pub async fn use_access(&self, token: &str) -> StatusCode {
        let header = match self.strategy {
            Strategy::SessionCookie => (COOKIE.as_str(), format!("{SESSION_COOKIE}={token}")),
            Strategy::ReadableCookie => (COOKIE.as_str(), format!("{ACCESS_COOKIE}={token}")),
            _ => (AUTHORIZATION.as_str(), format!("Bearer {token}")),
        };
        self.send(Method::GET, &Doors::of(self.strategy).me, &[header], None)
            .await
    }

    /// Requests new tokens, and reads the victim's profile with them.
    pub async fn use_refresh(&self, token: &str) -> StatusCode {
        let strategy = self.strategy;
        if strategy == Strategy::SessionCookie {
            return self.use_access(token).await;
        }
        let refresh = Doors::of(strategy).refresh;
        let status = match strategy {
            Strategy::Keyturn => {
                let cookie = format!("{}={token}", self.lab.ours.config.cookie_name);
                let headers = [
                    (COOKIE.as_str(), cookie),
                    (REQUESTED_WITH, REQUESTED_WITH_KEYTURN.to_owned()),
                ];
                self.send(Method::POST, &refresh, &headers, None).await
            }
            Strategy::ReadableCookie => {
                let cookie = format!("{REFRESH_COOKIE}={token}");
                self.send(Method::POST, &refresh, &[(COOKIE.as_str(), cookie)], None)
                    .await
            }
            _ => {
                let body = json!({ "refresh_token": token }).to_string();
                self.send(Method::POST, &refresh, &[], Some(body)).await
            }
        };
        if status == StatusCode::OK
            && let Some(access) = self.own().access
        {
            self.use_access(&access).await;
        }
        status
    }

    /// The tokens that the victim's server issued to the thief.
    pub fn own(&self) -> Copies {
        Copies::of(
            self.lab,
            self.strategy,
            &self.run.evidence(self.cell),
            Who::Attacker,
        )
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, String)],
        body: Option<String>,
    ) -> StatusCode {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let answer = timeout(PATIENCE, self.exchange(method, path, headers, body)).await;
        answer.ok().and_then(Result::ok).unwrap_or_else(|| {
            self.unanswered.fetch_add(1, Ordering::Relaxed);
            let text = "The attacker’s server got no answer.".to_owned();
            let at_ms = self.lab.runs.now_ms();
            let who = Who::Attacker;
            self.run.note(self.cell, Evidence::Note { at_ms, who, text });
            StatusCode::BAD_GATEWAY
        })
    }

    /// Uses a separate connection to the victim's listener: names like `lab.localhost` mean nothing outside a browser.
    async fn exchange(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, String)],
        body: Option<String>,
    ) -> Result<StatusCode, Box<dyn std::error::Error + Send + Sync>> {
        let sites = &self.lab.sites;
        let stream = TcpStream::connect(sites.listen).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let address = format!("{path}?run={}&cell={}", self.run.id, self.cell);
        let mut request = Request::builder()
            .method(method)
            .uri(address)
            .header(HOST, sites.victim.authority())
            .header(AGENT, USER_AGENT)
            // Browsers do not let a page forge these headers; other clients can.
            .header(ORIGIN, sites.victim.as_str())
            .header("sec-fetch-site", "same-origin");
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let answer = sender
            .send_request(request.body(Body::from(body.unwrap_or_default()))?)
            .await?;
        let status = answer.status();
        to_bytes(Body::new(answer.into_body()), ANSWER).await?;
        connection.abort();
        Ok(status)
    }
}
