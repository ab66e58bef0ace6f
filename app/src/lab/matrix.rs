//! The matrix: threats as rows, strategies as columns, a verdict in each cell.

use api_types::lab::{Run, Strategy, Threat, Verdict};
use leptos::{html, prelude::*};

use super::{
    page::{Desk, Place},
    words,
};
use crate::{
    components::{Icon, list},
    session_ctx::use_session,
};

/// The table is there before there is a run, and stays the same one: only what stands in its cells changes.
#[component]
pub fn Matrix(desk: Desk) -> impl IntoView {
    let heads = Strategy::ALL.iter().map(|strategy| {
        view! {
            <th scope="col" class=own(*strategy)>
                {words::strategy(*strategy)}
            </th>
        }
    });
    let groups = words::GROUPS.iter().map(|(title, threats)| {
        view! {
            <tbody>
                <tr class="matrix__group">
                    <th scope="rowgroup" colspan=(Strategy::ALL.len() + 1).to_string()>
                        <span>{*title}</span>
                    </th>
                </tr>
                {list(threats.iter().map(|threat| view! { <Row desk threat=*threat /> }))}
            </tbody>
        }
    });
    view! {
        <div class="table-sheet" tabindex="0" role="group" aria-label="The matrix">
            <table class="table matrix">
                <caption>"What happens to a session, by where its tokens are kept"</caption>
                <thead>
                    <tr>
                        <td></td>
                        {list(heads)}
                    </tr>
                </thead>
                {list(groups)}
            </table>
        </div>
    }
    .into_any()
}

#[component]
fn Row(desk: Desk, threat: Threat) -> impl IntoView {
    view! {
        <tr>
            <th scope="row">{words::threat(threat)}</th>
            {list(Strategy::ALL.iter().map(|strategy| view! { <MatrixCell desk place=(*strategy, threat) /> }))}
        </tr>
    }
    .into_any()
}

/// A verdict that opens its evidence.
#[component]
fn MatrixCell(desk: Desk, place: Place) -> impl IntoView {
    let session = use_session();
    let (strategy, threat) = place;
    let run = desk.follow.run();
    let verdict = Memo::new(move |_| run.with(|run| verdict_in(run.as_ref(), place)));
    let button = NodeRef::<html::Button>::new();
    Effect::new(move |_| {
        if let (true, Some(button)) = (desk.closed.get() == Some(place), button.get_untracked()) {
            let _ = button.focus();
        }
    });
    view! {
        <td
            class=own(strategy)
            data-strategy=strategy.slug()
            data-threat=threat.slug()
            data-verdict=move || verdict.get().slug()
        >
            <button
                type="button"
                class="matrix__cell"
                disabled=move || !session.hydrated()
                aria-current=move || (desk.open.get() == Some(place)).then_some("true")
                on:click=move |_| desk.open(place)
                node_ref=button
            >
                {move || mark(verdict.get())}
                <span class="sr-only">
                    ": " {words::threat(threat)} ", " {words::strategy(strategy)}
                </span>
            </button>
        </td>
    }
    .into_any()
}

/// Our own column is told apart, and judged like the others.
fn own(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::Keyturn => "matrix__own",
        _ => "",
    }
}

fn verdict_in(run: Option<&Run>, (strategy, threat): Place) -> Verdict {
    run.and_then(|run| {
        run.cells
            .iter()
            .find(|cell| (cell.strategy, cell.threat) == (strategy, threat))
    })
    .map_or(Verdict::NotMeasured, |cell| cell.verdict)
}

/// A verdict's word and shape.
pub fn mark(verdict: Verdict) -> AnyView {
    let class = match verdict {
        Verdict::Safe => "mark mark--safe",
        Verdict::Exposed => "mark mark--exposed",
        Verdict::Survives | Verdict::Lost => "mark",
        Verdict::NotMeasured => "mark mark--none",
    };
    view! {
        <span class=class>
            <Icon shape=words::shape(verdict) />
            {words::verdict(verdict)}
        </span>
    }
    .into_any()
}
