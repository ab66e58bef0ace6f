//! The table of an experiment: a verdict in each cell.

use lab_types::{CellId, CellVerdict, ContentPolicy, CsrfDefence, RaceDefence, RunSnapshot, Strategy};
use leptos::{html, prelude::*};
use ui::{components::list, session_ctx::use_session};

use super::{experiment_state::ExperimentState, verdict_mark::mark, words};

/// The table is present before the first run and is never replaced: only the content of its cells changes.
#[component]
pub fn Matrix(experiment: ExperimentState) -> impl IntoView {
    let rows = experiment.bench.rows();
    let columns = rows[0].len();
    let heads = rows[0].iter().map(|place| {
        view! {
            <th scope="col" class=own(*place)>
                {words::column(*place)}
            </th>
        }
        .into_any()
    });
    let heads = list(heads);
    let group = |rows: &[Vec<CellId>]| {
        view! {
            <tbody>
                <tr class="matrix__group">
                    <th scope="rowgroup" colspan=(columns + 1).to_string()>
                        <span>{words::group(rows[0][0])}</span>
                    </th>
                </tr>
                {list(rows.iter().map(|row| view! { <Row experiment places=row.clone() /> }))}
            </tbody>
        }
        .into_any()
    };
    let groups = rows.chunk_by(|one, other| words::group(one[0]) == words::group(other[0]));
    let groups = list(groups.map(group));
    view! {
        <div class="table-sheet" tabindex="0" role="group" aria-label=words::title(experiment.bench)>
            <table class="table matrix" data-bench=experiment.bench.slug()>
                <caption>{words::caption(experiment.bench)}</caption>
                <thead>
                    <tr>
                        <td></td>
                        {heads}
                    </tr>
                </thead>
                {groups}
            </table>
        </div>
    }
    .into_any()
}

#[component]
fn Row(experiment: ExperimentState, places: Vec<CellId>) -> impl IntoView {
    let head = words::row(places[0]);
    view! {
        <tr>
            <th scope="row">{head}</th>
            {list(places.into_iter().map(|place| view! { <MatrixCell experiment place /> }))}
        </tr>
    }
    .into_any()
}

/// A verdict that opens its evidence.
#[component]
fn MatrixCell(experiment: ExperimentState, place: CellId) -> impl IntoView {
    let session = use_session();
    let run = experiment.follow.run();
    let verdict = Memo::new(move |_| run.with(|run| verdict_in(run.as_ref(), place)));
    let (strategy, threat) = match place {
        CellId::Storage { strategy, threat } => (Some(strategy.slug()), Some(threat.slug())),
        _ => (None, None),
    };
    let button = NodeRef::<html::Button>::new();
    Effect::new(move |_| {
        if let (true, Some(button)) = (experiment.closed.get() == Some(place), button.get_untracked()) {
            let _ = button.focus();
        }
    });
    view! {
        <td
            class=own(place)
            data-place=place.to_string()
            data-strategy=strategy
            data-threat=threat
            data-verdict=move || verdict.get().slug()
        >
            <button
                type="button"
                class="matrix__cell"
                disabled=move || !session.hydrated()
                aria-current=move || (experiment.open.get() == Some(place)).then_some("true")
                on:click=move |_| experiment.open(place)
                node_ref=button
            >
                {move || mark(verdict.get())}
                <span class="sr-only">
                    ": " {words::cell(place)}
                </span>
            </button>
        </td>
    }
    .into_any()
}

/// The class that highlights our own column; its verdicts follow the same rules.
fn own(place: CellId) -> &'static str {
    match place {
        CellId::Storage {
            strategy: Strategy::Keyturn,
            ..
        }
        | CellId::Forgery {
            guard: CsrfDefence::Keyturn,
            ..
        }
        | CellId::Script {
            policy: ContentPolicy::Ours,
            ..
        }
        | CellId::Race {
            remedy: RaceDefence::Server | RaceDefence::Together,
            ..
        } => "matrix__own",
        _ => "",
    }
}

fn verdict_in(run: Option<&RunSnapshot>, place: CellId) -> CellVerdict {
    run.and_then(|run| run.cells.iter().find(|cell| cell.id == place))
        .map_or(CellVerdict::NotMeasured, |cell| cell.verdict)
}
