//! The table of an experiment: a verdict in each cell.

use lab_types::{CellId, CellVerdict, ContentPolicy, CsrfDefence, RaceDefence, RunSnapshot, Strategy};
use leptos::{html, prelude::*};
use ui::{components::list, session_ctx::use_session};

use super::{state::ExperimentState, verdict_mark::verdict_mark};
use crate::labels;

/// The table is present before the first run and is never replaced: only the content of its cells changes.
#[component]
pub fn Matrix(experiment: ExperimentState) -> impl IntoView {
    let rows = experiment.kind.rows();
    let columns = rows[0].len();
    let heads = rows[0].iter().map(|cell_id| {
        view! {
            <th scope="col" class=own(*cell_id)>
                {labels::column(*cell_id)}
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
                        <span>{labels::group(rows[0][0])}</span>
                    </th>
                </tr>
                {list(rows.iter().map(|row| view! { <Row experiment cells=row.clone() /> }))}
            </tbody>
        }
        .into_any()
    };
    let groups = rows.chunk_by(|one, other| labels::group(one[0]) == labels::group(other[0]));
    let groups = list(groups.map(group));
    view! {
        <div class="table-sheet" tabindex="0" role="group" aria-label=labels::title(experiment.kind)>
            <table class="table matrix" data-bench=experiment.kind.slug()>
                <caption>{labels::caption(experiment.kind)}</caption>
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
fn Row(experiment: ExperimentState, cells: Vec<CellId>) -> impl IntoView {
    let head = labels::row(cells[0]);
    view! {
        <tr>
            <th scope="row">{head}</th>
            {list(cells.into_iter().map(|cell_id| view! { <MatrixCell experiment cell_id /> }))}
        </tr>
    }
    .into_any()
}

/// A verdict that opens its evidence.
#[component]
fn MatrixCell(experiment: ExperimentState, cell_id: CellId) -> impl IntoView {
    let session = use_session();
    let run = experiment.run.latest();
    let verdict = Memo::new(move |_| run.with(|run| verdict_in(run.as_ref(), cell_id)));
    let (strategy, threat) = match cell_id {
        CellId::Storage { strategy, threat } => (Some(strategy.slug()), Some(threat.slug())),
        _ => (None, None),
    };
    let button = NodeRef::<html::Button>::new();
    Effect::new(move |_| {
        if let (true, Some(button)) = (experiment.closed.get() == Some(cell_id), button.get_untracked()) {
            let _ = button.focus();
        }
    });
    view! {
        <td
            class=own(cell_id)
            data-place=cell_id.to_string()
            data-strategy=strategy
            data-threat=threat
            data-verdict=move || verdict.get().slug()
        >
            <button
                type="button"
                class="matrix__cell"
                disabled=move || !session.hydrated()
                aria-current=move || (experiment.open.get() == Some(cell_id)).then_some("true")
                on:click=move |_| experiment.open(cell_id)
                node_ref=button
            >
                {move || verdict_mark(verdict.get())}
                <span class="sr-only">": " {labels::cell(cell_id)}</span>
            </button>
        </td>
    }
    .into_any()
}

/// The class that highlights our own column; its verdicts follow the same rules.
fn own(cell_id: CellId) -> &'static str {
    match cell_id {
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

fn verdict_in(run: Option<&RunSnapshot>, cell_id: CellId) -> CellVerdict {
    run.and_then(|run| run.cells.iter().find(|cell| cell.id == cell_id))
        .map_or(CellVerdict::NotMeasured, |cell| cell.verdict)
}
