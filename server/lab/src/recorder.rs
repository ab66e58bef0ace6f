//! Records every request that the victim's servers receive, and every response: the evidence. Also reads from it.

use std::sync::Arc;

use axum::{
    body::{Body, to_bytes},
    extract::{Query, Request, State},
    http::{HeaderMap, HeaderName, StatusCode, header, request::Parts},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use lab_types::{Evidence, Exchange, Place, Who};
use serde::Deserialize;

use super::{Lab, attacker::USER_AGENT, race, runs::Run, vulnerable, weakened};

/// The maximum size of a recorded body. None of ours is longer.
pub const BODY: usize = 16 * 1024;

/// The relevant headers. All others that browsers send would only obscure them.
const TOLD: [HeaderName; 13] = [
    header::ORIGIN,
    header::REFERER,
    header::COOKIE,
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::SET_COOKIE,
    header::WWW_AUTHENTICATE,
    header::CONTENT_SECURITY_POLICY,
    HeaderName::from_static("sec-fetch-site"),
    HeaderName::from_static("sec-fetch-mode"),
    HeaderName::from_static("sec-fetch-dest"),
    HeaderName::from_static("sec-fetch-user"),
    HeaderName::from_static("x-requested-with"),
];

/// The cell to which a request belongs. Every URL that the lab's pages use contains it.
#[derive(Debug, Clone, Deserialize)]
pub struct Of {
    run: Option<String>,
    cell: Option<String>,
    at: Option<usize>,
}

impl Of {
    pub fn run(&self, lab: &Lab) -> Option<Arc<Run>> {
        lab.runs.find(self.run.as_deref()?)
    }

    pub fn cell(&self) -> Option<Place> {
        self.cell.as_deref()?.parse().ok()
    }

    /// The current step of the runner.
    pub fn at(&self) -> Option<usize> {
        self.at
    }
}

/// Forwards a request and records it with its response.
pub async fn record(
    State(lab): State<Arc<Lab>>,
    Query(of): Query<Of>,
    request: Request,
    next: Next,
) -> Response {
    let run = of.run(&lab);
    let cell = of
        .cell()
        .filter(|cell| run.as_ref().is_some_and(|run| run.bench == cell.bench()));
    let (Some(run), Some(cell)) = (run, cell) else {
        return (
            StatusCode::NOT_FOUND,
            "This address is part of a run, and there is no such run.",
        )
            .into_response();
    };
    if run.is_full(cell) {
        return (
            StatusCode::TOO_MANY_REQUESTS,
            "There is no room for more evidence in this cell.",
        )
            .into_response();
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let mut exchange = asked(&lab, &parts, &body);

    let request = Request::from_parts(parts, Body::from(body));
    let (parts, body) = weakened::answer(&lab, &run, cell, request, next)
        .await
        .into_parts();
    let body = to_bytes(body, BODY).await.unwrap_or_default();

    exchange.status = parts.status.as_u16();
    exchange.answer_headers = told(&parts.headers);
    exchange.answer = text(&body);
    // Only a request that has left the runner names its step; and the vulnerable page returns to the runner itself.
    let leads_back = of.at.is_some() && exchange.path != vulnerable::PAGE;
    let page = leads_back.then(|| {
        let says = format!("The victim’s server answered with {}.", exchange.status);
        way_back(&lab, &of, &says)
    });
    let is_lost = race::loses(&run, cell, &exchange.path, parts.status);
    run.note(cell, Evidence::Exchange(exchange));
    if is_lost {
        let at_ms = lab.runs.now_ms();
        let (who, text) = (Who::Lab, race::LOST.to_owned());
        run.note(cell, Evidence::Note { at_ms, who, text });
        return StatusCode::BAD_GATEWAY.into_response();
    }
    match page {
        None => Response::from_parts(parts, Body::from(body)),
        Some(page) => {
            // The cookies of the response matter; its content is replaced by a page that returns to the runner.
            let mut response = page.into_response();
            for cookie in parts.headers.get_all(header::SET_COOKIE) {
                response.headers_mut().append(header::SET_COOKIE, cookie.clone());
            }
            response
        }
    }
}

fn asked(lab: &Lab, parts: &Parts, body: &[u8]) -> Exchange {
    let by_attacker = parts
        .headers
        .get(header::USER_AGENT)
        .is_some_and(|agent| agent == USER_AGENT);
    Exchange {
        at_ms: lab.runs.now_ms(),
        who: if by_attacker { Who::Attacker } else { Who::Page },
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        headers: told(&parts.headers),
        body: text(body),
        status: 0,
        answer_headers: Vec::new(),
        answer: String::new(),
    }
}

fn told(headers: &HeaderMap) -> Vec<(String, String)> {
    let told = headers.iter().filter(|(name, _)| TOLD.contains(name));
    told.map(|(name, value)| (name.to_string(), text(value.as_bytes())))
        .collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A navigation from the other site replaced the runner with this response. This page shows the result and returns to
/// the runner.
pub fn way_back(lab: &Lab, of: &Of, says: &str) -> Html<String> {
    let run = of.run(lab).map(|run| run.id.clone()).unwrap_or_default();
    let at = of.at.unwrap_or_default();
    let victim = &lab.sites.victim;
    // No untrusted text: the id was looked up, the rest are numbers and names from the configuration.
    Html(format!(
        "<!doctype html><meta charset=utf-8><title>Keyturn lab: on the way back</title>\
         <meta http-equiv=refresh content=\"0; url={victim}/play?run={run}&amp;at={at}&amp;phase=after\">\
         <p>{says}</p>"
    ))
}

/// A header of a recorded request.
pub fn header<'a>(exchange: &'a Exchange, wanted: &str) -> Option<&'a str> {
    let found = exchange.headers.iter().find(|(name, _)| name == wanted);
    found.map(|(_, value)| value.as_str())
}

/// The first cookie of a name in a recorded request.
pub fn cookie<'a>(exchange: &'a Exchange, name: &str) -> Option<&'a str> {
    header(exchange, "cookie")?
        .split("; ")
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// The cookie of a name that its response sets, unless the response clears it.
pub fn cookie_set<'a>(exchange: &'a Exchange, wanted: &str) -> Option<&'a str> {
    exchange.answer_headers.iter().find_map(|(name, value)| {
        let value = value.split(';').next()?.strip_prefix(wanted)?.strip_prefix('=')?;
        (name == "set-cookie" && !value.is_empty()).then_some(value)
    })
}
