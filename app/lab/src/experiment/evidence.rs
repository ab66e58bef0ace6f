//! The evidence of one cell: the expectation, what happened, and the verdict.

use lab_types::paths;
use lab_types::{CellEvidence, CellId, CellVerdict, Evidence, OutcomeCount, RunSnapshot};
use leptos::{ev::KeyboardEvent, html, prelude::*, task::spawn_local};
use session_client::{ApiError, ApiRequest, Method};
use ui::{
    components::{Placeholder, list, maybe, text},
    session_ctx::use_session,
};

use super::{
    http_exchange::{ExchangeDetails, long},
    state::ExperimentState,
    verdict_mark::verdict_mark,
};
use crate::{
    components::action_button,
    lab_port::PortHandle,
    labels,
    resource_watch::{LoadStatus, path},
};

/// The loading state of the open cell's evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
enum EvidenceStatus {
    Nothing,
    Loading,
    Here(Box<CellEvidence>),
    Failed,
}

/// Below the matrix, while a cell is open. The focus moves to its heading, and back to the cell when it is closed.
#[component]
pub fn EvidenceSection(experiment: ExperimentState) -> impl IntoView {
    let status = load_evidence(experiment);
    let section = move |cell_id: CellId| view! { <OpenCell experiment cell_id status /> };
    view! { <div class="lab__evidence">{move || maybe(experiment.open.get().map(section))}</div> }.into_any()
}

/// Loads the evidence whenever another cell is opened or the cell has been measured again.
fn load_evidence(experiment: ExperimentState) -> RwSignal<EvidenceStatus> {
    let session = use_session();
    let port = PortHandle::of_page();
    let status = RwSignal::new(EvidenceStatus::Nothing);
    let run = experiment.run.latest();
    let wanted = Memo::new(move |_| {
        let cell_id = experiment.open.get()?;
        run.with(|run| {
            let run = run.as_ref()?;
            Some((run.id.clone(), cell_id, measured_at(run, cell_id)))
        })
    });
    let last = StoredValue::new(None::<(String, CellId)>);
    Effect::new(move |_| {
        let (Some((id, cell_id, _)), true) = (wanted.get(), session.hydrated()) else {
            last.set_value(None);
            status.set(EvidenceStatus::Nothing);
            return;
        };
        let Some(port) = port.get() else { return };
        // The evidence on display stays while newer evidence of the same cell is loading.
        let here = Some((id.clone(), cell_id));
        if last.get_value() != here {
            last.set_value(here.clone());
            status.set(EvidenceStatus::Loading);
        }
        let path = path(paths::CELL, &id)
            .replace("{column}", cell_id.column())
            .replace("{row}", &cell_id.row());
        spawn_local(async move {
            let answer = port.send(ApiRequest::new(Method::Get, path)).await;
            if last.try_get_value() != Some(here) {
                return;
            }
            let answer = answer.map_err(|_| ApiError::Offline);
            status.try_set(match answer.and_then(|answer| answer.json()) {
                Ok(cell) => EvidenceStatus::Here(Box::new(cell)),
                Err(_) => EvidenceStatus::Failed,
            });
        });
    });
    status
}

fn measured_at(run: &RunSnapshot, cell_id: CellId) -> Option<u64> {
    run.cells.iter().find(|cell| cell.id == cell_id)?.measured_at_ms
}

#[component]
fn OpenCell(experiment: ExperimentState, cell_id: CellId, status: RwSignal<EvidenceStatus>) -> impl IntoView {
    let session = use_session();
    let heading = NodeRef::<html::H2>::new();
    Effect::new(move |_| {
        if let (true, Some(heading)) = (session.hydrated(), heading.get()) {
            let _ = heading.focus();
        }
    });
    let key = move |event: KeyboardEvent| {
        if event.key() == "Escape" {
            experiment.close();
        }
    };
    let body = move || match status.get() {
        EvidenceStatus::Nothing
            if matches!(experiment.run.status(), LoadStatus::Nothing | LoadStatus::Gone) =>
        {
            view! { <p>{verdict_mark(CellVerdict::NotMeasured)} " There is no run yet. Start one above."</p> }
                .into_any()
        }
        EvidenceStatus::Nothing | EvidenceStatus::Loading => view! {
            <p>
                <Placeholder />
            </p>
        }
        .into_any(),
        EvidenceStatus::Failed => {
            view! { <p>"The evidence did not arrive. Close it and open it again."</p> }.into_any()
        }
        EvidenceStatus::Here(cell) => details(*cell),
    };
    view! {
        <section class="card" aria-labelledby="evidence" on:keydown=key>
            <div class="form__row lab__bar">
                <h2 class="card__title" id="evidence" tabindex="-1" node_ref=heading>
                    {labels::cell(cell_id)}
                </h2>
                {action_button("Close", None, move || experiment.close())}
            </div>
            {move || body()}
        </section>
    }
    .into_any()
}

fn details(status: CellEvidence) -> AnyView {
    let CellEvidence {
        cell,
        hypothesis,
        tally,
        attack,
        evidence,
    } = status;
    let begin = evidence.iter().map(Evidence::at_ms).min().unwrap_or_default();
    let happened = if evidence.is_empty() {
        view! { <p>"Nothing has been recorded."</p> }.into_any()
    } else {
        let items = list(evidence.into_iter().map(|item| view! { <Item item begin /> }));
        view! { <ol class="evidence">{items}</ol> }.into_any()
    };
    let code = |code: String| {
        view! {
            <details class="details">
                <summary>"The attack’s code"</summary>
                <pre class="lab__pre">{code}</pre>
            </details>
        }
    };
    view! {
        <h3 class="members__title">"Hypothesis"</h3>
        <p>{hypothesis}</p>
        {maybe(attack.map(code))}
        <h3 class="members__title">"What happened"</h3>
        {happened}
        <h3 class="members__title">"Verdict"</h3>
        <p>{verdict_mark(cell.verdict)} " " {cell.because}</p>
        {maybe((!tally.is_empty()).then(|| histogram(tally)))}
    }
    .into_any()
}

/// How often each outcome happened.
fn histogram(tally: Vec<OutcomeCount>) -> AnyView {
    let most = tally.iter().map(|one| one.count).max().unwrap_or_default();
    let rows = tally.into_iter().map(|OutcomeCount { outcome, count }| {
        view! {
            <tr>
                <th scope="row">{outcome}</th>
                <td>{count.to_string()}</td>
                <td>
                    <progress
                        class="meter__bar"
                        aria-hidden="true"
                        max=most.max(1).to_string()
                        value=count.to_string()
                    ></progress>
                </td>
            </tr>
        }
    });
    view! {
        <table class="table histogram">
            <caption>"What the refreshes came to"</caption>
            <thead>
                <tr>
                    <th scope="col">"Answer"</th>
                    <th scope="col">"Times"</th>
                    <td></td>
                </tr>
            </thead>
            <tbody>{list(rows)}</tbody>
        </table>
    }
    .into_any()
}

#[component]
fn Item(item: Evidence, begin: u64) -> impl IntoView {
    let after = labels::after(item.at_ms(), begin);
    let shown = match item {
        Evidence::Note { who, text: words, .. } => sentence(labels::who(who), words),
        Evidence::AccountSeen { who, when, user, .. } => {
            sentence(labels::who(who), seen(&when, user.as_deref()))
        }
        Evidence::Loot { found, .. } => view! { <Loot found /> }.into_any(),
        Evidence::LootTried {
            requests, unanswered, ..
        } => sentence(
            labels::who(lab_types::Participant::Attacker),
            tried(requests, unanswered),
        ),
        Evidence::Blocked { directive, what, .. } => sentence("The browser", blocked(&directive, &what)),
        Evidence::Exchange(exchange) => view! { <ExchangeDetails exchange /> }.into_any(),
    };
    view! {
        <li class="evidence__item">
            <span class="kicker">{after}</span>
            <div>{shown}</div>
        </li>
    }
    .into_any()
}

fn sentence(who: &'static str, words: String) -> AnyView {
    view! {
        <p>
            <strong>{who}</strong>
            ": "
            {words}
        </p>
    }
    .into_any()
}

fn seen(when: &str, user: Option<&str>) -> String {
    match user {
        Some(user) => format!("{when}: signed in as {user}"),
        None => format!("{when}: not signed in"),
    }
}

fn tried(requests: u32, unanswered: u32) -> String {
    match unanswered {
        0 => format!("tried it out with {requests} requests, and was answered each time"),
        some => format!("tried it out with {requests} requests, {some} of them without an answer"),
    }
}

fn blocked(directive: &str, what: &str) -> String {
    if what.is_empty() {
        format!("refused something ({directive})")
    } else {
        format!("refused “{what}” ({directive})")
    }
}

#[component]
fn Loot(found: Vec<lab_types::StolenValue>) -> impl IntoView {
    if found.is_empty() {
        return sentence("The attacker’s server", "received nothing".into());
    }
    let rows = found.into_iter().map(|found| {
        view! {
            <tr>
                <td>{found.place}</td>
                <td>{text(found.name)}</td>
                <td>{long(found.value)}</td>
            </tr>
        }
    });
    view! {
        <div class="table-sheet" tabindex="0" role="group" aria-label="Loot">
            <table class="table loot">
                <caption>"What the attacker’s server received"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Found in"</th>
                        <th scope="col">"Name"</th>
                        <th scope="col">"Value"</th>
                    </tr>
                </thead>
                <tbody>{list(rows)}</tbody>
            </table>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_without_a_user_is_reported_as_not_signed_in() {
        assert_eq!(
            seen("after the reload", Some("ada")),
            "after the reload: signed in as ada"
        );
        assert_eq!(seen("after the reload", None), "after the reload: not signed in");
    }
}
