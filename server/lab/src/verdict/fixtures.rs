//! Pieces of evidence, and verdicts, for the tests.

use lab_types::{CellVerdict, Evidence, Participant, RecordedExchange, StolenValue};

use super::judgement::Judgement;

pub(super) const EXPOSED: Option<CellVerdict> = Some(CellVerdict::Exposed);
pub(super) const LOST: Option<CellVerdict> = Some(CellVerdict::Lost);
pub(super) const SAFE: Option<CellVerdict> = Some(CellVerdict::Safe);
pub(super) const SURVIVES: Option<CellVerdict> = Some(CellVerdict::Survives);

/// The verdict alone; `None` if nothing was measured.
pub(super) fn verdict_of(judgement: Judgement) -> Option<CellVerdict> {
    judgement.ok().map(|(verdict, _)| verdict)
}

fn exchange(who: Participant, path: &str, status: u16) -> RecordedExchange {
    RecordedExchange {
        at_ms: 0,
        who,
        method: "POST".into(),
        path: path.into(),
        headers: vec![],
        body: String::new(),
        status,
        answer_headers: vec![],
        answer: String::new(),
    }
}

pub(super) fn received(who: Participant, path: &str, status: u16) -> Evidence {
    Evidence::Exchange(exchange(who, path, status))
}

/// A request of the visitor's browser with these headers.
pub(super) fn with_headers(path: &str, status: u16, headers: &[(&str, &str)]) -> RecordedExchange {
    let mut exchange = exchange(Participant::Page, path, status);
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    exchange.headers = headers.iter().map(owned).collect();
    exchange
}

pub(super) fn account(when: &str, user: Option<&str>) -> Evidence {
    Evidence::AccountSeen {
        at_ms: 0,
        who: Participant::Page,
        when: when.into(),
        user: user.map(str::to_owned),
    }
}

pub(super) fn loot(values: &[&str]) -> Evidence {
    let stolen = |value: &&str| StolenValue {
        place: "localStorage".into(),
        name: "token".into(),
        value: (*value).to_owned(),
    };
    Evidence::Loot {
        at_ms: 0,
        found: values.iter().map(stolen).collect(),
    }
}
