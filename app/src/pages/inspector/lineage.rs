//! The refresh token: what the page can know about it.

use leptos::prelude::*;
use session_client::TokenContent;

use ui::{
    components::{Placeholder, list, text},
    format,
    session_ctx::use_session,
};

/// One refresh token of this session, as described by the access token that came with it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct TokenRecord {
    session: String,
    generation: u64,
    at: u64,
}

/// The generations, and when they were issued.
#[component]
pub fn LineageCard(
    /// The content of the access token.
    inspected: RwSignal<Option<TokenContent>>,
) -> impl IntoView {
    let records = RwSignal::new(Vec::<TokenRecord>::new());
    Effect::new(move |_| {
        let newest = inspected.with(|inspected| inspected.as_ref().and_then(record_of));
        match newest {
            Some(record) => records.update(|records| add(records, record)),
            None => records.set(Vec::new()),
        }
    });
    let entries = move || {
        let records = records.get();
        if records.is_empty() {
            return view! {
                <li class="lineage__turn">
                    <Placeholder length="medium" />
                </li>
            }
            .into_any();
        }
        let live = records.len() - 1;
        list(
            records
                .into_iter()
                .enumerate()
                .rev()
                .map(move |(index, record)| view! { <Entry record live=index == live /> }),
        )
    };
    let before = move || {
        let first = records.with(|records| records.first().map_or(1, |record| record.generation));
        text(match first {
            1 => String::new(),
            2 => "Number 1 came before the inspector was opened. It is on the server’s blacklist.".into(),
            more => format!(
                "Numbers 1 to {} came before the inspector was opened. They are on the server’s blacklist.",
                more - 1
            ),
        })
    };
    view! {
        <section class="card" aria-labelledby="lineage">
            <h2 class="card__title" id="lineage">
                "Refresh token"
            </h2>
            <p>
                "Its value is not shown here, because this page cannot read it. It is in an httpOnly cookie: the browser "
                "sends it, the server replaces it, and no script ever holds it."
            </p>
            <p class="card__note">
                "Each use spends it. What is known of its turns is what the access tokens say that came with them."
            </p>
            <ol class="lineage" reversed=true aria-label="Refresh tokens of this session, the newest first">
                {move || entries()}
            </ol>
            <p class="card__note">{move || before()}</p>
        </section>
    }
    .into_any()
}

#[component]
fn Entry(record: TokenRecord, live: bool) -> impl IntoView {
    let session = use_session();
    let offset = session
        .platform()
        .map_or(0, |platform| platform.utc_offset_minutes(record.at));
    let (class, state) = if live {
        (
            "lineage__turn lineage__turn--live",
            "the newest that this page has met; another tab may have turned it since",
        )
    } else {
        (
            "lineage__turn",
            "spent: presenting it again ends the session, but for the first seconds",
        )
    };
    view! {
        <li class=class>
            <span class="lineage__mark" aria-hidden="true"></span>
            <span>
                <strong>{format!("Number {}", record.generation)}</strong>
                ", since "
                <time datetime=format::rfc3339(record.at)>{format::time_of_day(record.at, offset)}</time>
            </span>
            <span class="lineage__state">{state}</span>
        </li>
    }
    .into_any()
}

fn record_of(inspected: &TokenContent) -> Option<TokenRecord> {
    Some(TokenRecord {
        session: inspected.text("sid")?.to_owned(),
        generation: inspected.number("gen")?,
        at: inspected.number("iat")?,
    })
}

/// Another session has another lineage: someone signed in again.
fn add(records: &mut Vec<TokenRecord>, record: TokenRecord) {
    match records.last() {
        Some(last) if last.session != record.session => *records = vec![record],
        Some(last) if last.generation >= record.generation => {}
        _ => records.push(record),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(session: &str, generation: u64) -> TokenRecord {
        TokenRecord {
            session: session.into(),
            generation,
            at: 1_795_228_200 + generation,
        }
    }

    #[test]
    fn generations_are_kept_in_order_and_once() {
        let mut records = vec![];
        for generation in [3, 3, 4, 6, 6] {
            add(&mut records, record("one", generation));
        }
        assert_eq!(records, [record("one", 3), record("one", 4), record("one", 6)]);
    }

    #[test]
    fn another_session_begins_another_lineage() {
        let mut records = vec![record("one", 1)];
        add(&mut records, record("another", 2));
        assert_eq!(records, [record("another", 2)]);
    }
}
