//! Reads from evidence: exchanges, their headers and cookies, and the account that was seen.

use api_types::problem::ProblemCode;
use lab_types::{Evidence, Participant, RecordedExchange};
use serde::Deserialize;

use crate::cookies;

/// The recorded exchanges of a participant.
pub fn exchanges_of(
    evidence: &[Evidence],
    who: Participant,
) -> impl DoubleEndedIterator<Item = &RecordedExchange> {
    evidence.iter().filter_map(move |one| match one {
        Evidence::Exchange(exchange) if exchange.who == who => Some(exchange),
        _ => None,
    })
}

/// The recorded exchanges of a participant with one endpoint.
pub fn exchanges<'a>(
    evidence: &'a [Evidence],
    who: Participant,
    path: &str,
) -> impl DoubleEndedIterator<Item = &'a RecordedExchange> {
    exchanges_of(evidence, who).filter(move |exchange| exchange.path == path)
}

/// The account that the server saw in this browser, at the last check of this kind: `Some(None)` if no one was signed
/// in, `None` if there was no check.
pub fn account_seen<'a>(evidence: &'a [Evidence], then: &str) -> Option<Option<&'a str>> {
    evidence.iter().rev().find_map(|one| match one {
        Evidence::AccountSeen { when, user, .. } if when == then => Some(user.as_deref()),
        _ => None,
    })
}

/// A header of a recorded request.
pub fn header<'a>(exchange: &'a RecordedExchange, wanted: &str) -> Option<&'a str> {
    named(&exchange.headers, wanted).next()
}

/// The first cookie of a name in a recorded request.
pub fn cookie<'a>(exchange: &'a RecordedExchange, name: &str) -> Option<&'a str> {
    named(&exchange.headers, "cookie").find_map(|header| cookies::find(header, name))
}

/// The cookie of a name that its response sets, unless the response clears it.
pub fn cookie_set<'a>(exchange: &'a RecordedExchange, name: &str) -> Option<&'a str> {
    named(&exchange.answer_headers, "set-cookie")
        .filter_map(|header| cookies::set_by(header, name))
        .find(|value| !value.is_empty())
}

/// The code of the product's refusal.
pub fn problem_code(exchange: &RecordedExchange) -> Option<ProblemCode> {
    #[derive(Deserialize)]
    struct CodeOnly {
        code: ProblemCode,
    }
    let problem: CodeOnly = serde_json::from_str(&exchange.answer).ok()?;
    Some(problem.code)
}

fn named<'a>(headers: &'a [(String, String)], wanted: &str) -> impl Iterator<Item = &'a str> {
    headers
        .iter()
        .filter(move |(name, _)| name == wanted)
        .map(|(_, value)| value.as_str())
}
