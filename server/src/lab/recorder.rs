//! Writes down every request that the victim's servers receive, and every answer: the evidence.

use std::sync::Arc;

use api_types::lab::{Evidence, Exchange, Who};
use axum::{
    body::{Body, to_bytes},
    extract::{Query, Request, State},
    http::{HeaderMap, HeaderName, StatusCode, header, request::Parts},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use serde::Deserialize;

use super::{
    Lab,
    attacker::USER_AGENT,
    plan::{self, CellId},
    runs::Run,
    weakened,
};

/// Longer bodies are none of ours.
pub const BODY: usize = 16 * 1024;

/// What belongs to the matter. Everything else that browsers send would only bury it.
const TOLD: [HeaderName; 12] = [
    header::ORIGIN,
    header::REFERER,
    header::COOKIE,
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::SET_COOKIE,
    header::WWW_AUTHENTICATE,
    HeaderName::from_static("sec-fetch-site"),
    HeaderName::from_static("sec-fetch-mode"),
    HeaderName::from_static("sec-fetch-dest"),
    HeaderName::from_static("sec-fetch-user"),
    HeaderName::from_static("x-requested-with"),
];

/// Whose evidence a request is. Every address that the lab's pages use says so.
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

    pub fn cell(&self) -> Option<CellId> {
        plan::cell_of(self.cell.as_deref()?)
    }
}

/// Passes a request on and writes down what was asked and answered.
pub async fn record(
    State(lab): State<Arc<Lab>>,
    Query(of): Query<Of>,
    request: Request,
    next: Next,
) -> Response {
    let (Some(run), Some(cell)) = (of.run(&lab), of.cell()) else {
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
    // Only the forms of other sites say at which step they are.
    let page = of.at.is_some().then(|| way_back(&of, &exchange));
    run.note(cell, Evidence::Exchange(exchange));
    match page {
        None => Response::from_parts(parts, Body::from(body)),
        Some(page) => {
            // The cookies of the answer count; what it says goes to a page that leads back to the runner.
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

/// A form's answer is a page of its own, in place of the runner. This one says what came, and goes on.
fn way_back(of: &Of, exchange: &Exchange) -> Html<String> {
    let run = of.run.as_deref().unwrap_or_default();
    let at = of.at.unwrap_or_default();
    let status = exchange.status;
    // All of it is ours: the id was found, the others are numbers.
    Html(format!(
        "<!doctype html><meta charset=utf-8><title>Keyturn lab: the form was answered</title>\
         <meta http-equiv=refresh content=\"0; url=/play?run={run}&amp;at={at}&amp;phase=after\">\
         <p>The victim’s server answered the form with {status}.</p>"
    ))
}
