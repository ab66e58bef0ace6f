//! Records every request that the victim's servers receive, and every response: the evidence.

use std::sync::Arc;

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use lab_types::{Evidence, NotedEvent, Participant, RecordedExchange};

use crate::{
    ablation,
    host::MAX_BODY,
    race_server,
    return_page::return_page,
    run::Run,
    scope::EvidenceScope,
    state::Lab,
    targets::{ATTACKER_AGENT, VULNERABLE_PAGE},
};

const DROPPED: &str = "Response dropped: the page gets 502 and no cookie.";

/// The relevant headers. All others that browsers send would only obscure them.
const RELEVANT: [HeaderName; 13] = [
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

/// Forwards a request and records it with its response.
pub async fn record(
    State(lab): State<Arc<Lab>>,
    scope: EvidenceScope,
    request: Request,
    next: Next,
) -> Response {
    let EvidenceScope { run, cell, step } = scope;
    if run.is_full(cell) {
        return (
            StatusCode::TOO_MANY_REQUESTS,
            "There is no room for more evidence in this cell.",
        )
            .into_response();
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let mut exchange = recorded(&run, &parts, &body);

    let request = Request::from_parts(parts, Body::from(body));
    let response = ablation::respond(&lab, &run, cell, request, next).await;
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, MAX_BODY).await.unwrap_or_default();

    exchange.status = parts.status.as_u16();
    exchange.answer_headers = relevant(&parts.headers);
    exchange.answer = text(&body);
    // Only a request that has left the runner names its step; and the vulnerable page returns to the runner itself.
    let page = (step.is_some() && exchange.path != VULNERABLE_PAGE).then(|| {
        let says = format!("The victim’s server answered with {}.", exchange.status);
        return_page(&lab, &run, step, &says)
    });
    let is_dropped = race_server::drops_response(&run, cell, &exchange.path, parts.status);
    run.record(cell, Evidence::Exchange(exchange));
    if is_dropped {
        let event = Some(NotedEvent::ResponseDropped);
        run.note(cell, Participant::Lab, event, DROPPED);
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

fn recorded(run: &Run, parts: &Parts, body: &[u8]) -> RecordedExchange {
    let agent = parts.headers.get(header::USER_AGENT);
    let by_attacker = agent.is_some_and(|agent| agent == ATTACKER_AGENT);
    RecordedExchange {
        at_ms: run.now_ms(),
        who: if by_attacker {
            Participant::Attacker
        } else {
            Participant::Page
        },
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        headers: relevant(&parts.headers),
        body: text(body),
        status: 0,
        answer_headers: Vec::new(),
        answer: String::new(),
    }
}

fn relevant(headers: &HeaderMap) -> Vec<(String, String)> {
    let relevant = headers.iter().filter(|(name, _)| RELEVANT.contains(name));
    relevant
        .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
        .collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
