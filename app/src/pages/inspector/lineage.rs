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
struct Turn {
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
    let turns = RwSignal::new(Vec::<Turn>::new());
    Effect::new(move |_| {
        let newest = inspected.with(|inspected| inspected.as_ref().and_then(turn_of));
        match newest {
            Some(turn) => turns.update(|turns| add(turns, turn)),
            None => turns.set(Vec::new()),
        }
    });
    let entries = move || {
        let turns = turns.get();
        if turns.is_empty() {
            return view! { <li class="lineage__turn"><Placeholder length="medium" /></li> }.into_any();
        }
        let live = turns.len() - 1;
        list(
            turns
                .into_iter()
                .enumerate()
                .rev()
                .map(move |(index, turn)| view! { <Entry turn live=index == live /> }),
        )
    };
    let before = move || {
        let first = turns.with(|turns| turns.first().map_or(1, |turn| turn.generation));
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
            <h2 class="card__title" id="lineage">"Refresh token"</h2>
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
fn Entry(turn: Turn, live: bool) -> impl IntoView {
    let session = use_session();
    let offset = session
        .platform()
        .map_or(0, |platform| platform.utc_offset_minutes(turn.at));
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
                <strong>{format!("Number {}", turn.generation)}</strong>
                ", since "
                <time datetime=format::rfc3339(turn.at)>{format::time_of_day(turn.at, offset)}</time>
            </span>
            <span class="lineage__state">{state}</span>
        </li>
    }
    .into_any()
}

fn turn_of(inspected: &TokenContent) -> Option<Turn> {
    Some(Turn {
        session: inspected.text("sid")?.to_owned(),
        generation: inspected.number("gen")?,
        at: inspected.number("iat")?,
    })
}

/// Another session has another lineage: someone signed in again.
fn add(turns: &mut Vec<Turn>, turn: Turn) {
    match turns.last() {
        Some(last) if last.session != turn.session => *turns = vec![turn],
        Some(last) if last.generation >= turn.generation => {}
        _ => turns.push(turn),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(session: &str, generation: u64) -> Turn {
        Turn {
            session: session.into(),
            generation,
            at: 1_795_228_200 + generation,
        }
    }

    #[test]
    fn turns_are_kept_in_order_and_once() {
        let mut turns = vec![];
        for generation in [3, 3, 4, 6, 6] {
            add(&mut turns, turn("one", generation));
        }
        assert_eq!(turns, [turn("one", 3), turn("one", 4), turn("one", 6)]);
    }

    #[test]
    fn another_session_begins_another_lineage() {
        let mut turns = vec![turn("one", 1)];
        add(&mut turns, turn("another", 2));
        assert_eq!(turns, [turn("another", 2)]);
    }
}
