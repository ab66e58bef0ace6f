//! CSRF defences combined: which of the measured requests would pass all of them.
//!
//! Each defence looks at the request alone, so a request passes several if it passes each. The cells of the table are
//! enough to decide that, and nothing has to run again.

use lab_types::{CellId, CellVerdict, CsrfDefence, RequestSource, RunSnapshot, Vector};
use leptos::{ev::Event, prelude::*};
use ui::{
    components::{list, text},
    session_ctx::use_session,
};

use crate::{components::sheet_table, labels};

/// The options: each defence that has a column in the table.
const CHOICE: [CsrfDefence; 7] = [
    CsrfDefence::Lax,
    CsrfDefence::Strict,
    CsrfDefence::Origin,
    CsrfDefence::FetchMetadata,
    CsrfDefence::CustomHeader,
    CsrfDefence::DoubleSubmit,
    CsrfDefence::HostDoubleSubmit,
];

/// The result for one kind of request.
#[derive(Debug, Clone, PartialEq, Eq)]
enum RequestOutcome {
    /// Blocked, by the first selected defence that stops it.
    Stopped(CsrfDefence),
    Passes,
    /// One of the cells has no verdict.
    Unknown,
}

fn outcome_of(
    run: &RunSnapshot,
    source: RequestSource,
    vector: Vector,
    chosen: &[CsrfDefence],
) -> RequestOutcome {
    let verdict = |guard: CsrfDefence| {
        let cell_id = CellId::Forgery {
            guard,
            source,
            vector,
        };
        run.cells
            .iter()
            .find(|cell| cell.id == cell_id)
            .map_or(CellVerdict::NotMeasured, |cell| cell.verdict)
    };
    // The result without any defence, from the browser alone, comes first.
    let mut all = std::iter::once(CsrfDefence::None).chain(chosen.iter().copied());
    if let Some(guard) = all.clone().find(|guard| verdict(*guard) == CellVerdict::Safe) {
        RequestOutcome::Stopped(guard)
    } else if all.all(|guard| verdict(guard) == CellVerdict::Exposed) {
        RequestOutcome::Passes
    } else {
        RequestOutcome::Unknown
    }
}

fn sentence(run: &RunSnapshot, chosen: &[CsrfDefence]) -> String {
    let (mut through, mut unknown) = (Vec::new(), 0);
    for source in RequestSource::ALL {
        for vector in Vector::ALL {
            match outcome_of(run, *source, *vector, chosen) {
                RequestOutcome::Passes => through.push(format!(
                    "{} ({})",
                    labels::vector(*vector),
                    match source {
                        RequestSource::OtherSite => "another site",
                        RequestSource::Sibling => "sibling",
                    }
                )),
                RequestOutcome::Stopped(_) => {}
                RequestOutcome::Unknown => unknown += 1,
            }
        }
    }
    let all = RequestSource::ALL.len() * Vector::ALL.len();
    let stopped = all - through.len() - unknown;
    let mut sentences = vec![format!("{stopped} of {all} are stopped.")];
    if !through.is_empty() {
        sentences.push(format!("Through come: {}.", through.join(", ")));
    }
    if unknown > 0 {
        sentences.push(format!("Not measured: {unknown}."));
    }
    sentences.join(" ")
}

/// The checkboxes and the result.
#[component]
pub fn CombinedDefences(run: ReadSignal<Option<RunSnapshot>>) -> impl IntoView {
    let session = use_session();
    let chosen = RwSignal::new(Vec::<CsrfDefence>::new());
    let switch = move |guard: CsrfDefence| {
        let id = format!("with-{}", guard.slug());
        let is_chosen = move || chosen.with(|chosen| chosen.contains(&guard));
        let choose = move |event: Event| {
            let is_on = event_target_checked(&event);
            chosen.update(|chosen| {
                chosen.retain(|one| *one != guard);
                if is_on {
                    chosen.push(guard);
                }
            });
        };
        view! {
            <div class="check">
                <input
                    class="check__box"
                    type="checkbox"
                    id=id.clone()
                    disabled=move || !session.hydrated()
                    prop:checked=is_chosen
                    on:change=choose
                />
                <label for=id>{labels::csrf_defence(guard)}</label>
            </div>
        }
    };
    let outcome = move || {
        run.with(|run| {
            run.as_ref().map_or_else(
                || "Run the forgeries first.".into(),
                |run| chosen.with(|chosen| sentence(run, chosen)),
            )
        })
    };
    let rows = move || {
        let outcomes = run.with(|run| {
            let run = run.as_ref()?;
            let pairs = RequestSource::ALL
                .iter()
                .flat_map(|source| Vector::ALL.iter().map(move |vector| (*source, *vector)));
            let row = |(source, vector)| {
                let outcome = chosen.with(|chosen| outcome_of(run, source, vector, chosen));
                (labels::vector(vector), labels::source(source), describe(&outcome))
            };
            Some(pairs.map(row).collect::<Vec<_>>())
        });
        list(
            outcomes
                .unwrap_or_default()
                .into_iter()
                .map(|(vector, source, outcome)| {
                    view! {
                        <tr>
                            <th scope="row">{vector}</th>
                            <td>{source}</td>
                            <td>{outcome}</td>
                        </tr>
                    }
                }),
        )
    };
    view! {
        <details class="details lab__guards">
            <summary>"Put guards together"</summary>
            <div class="lab__together">
                <fieldset class="lab__switches">
                    <legend class="sr-only">"Put guards together"</legend>
                    {list(CHOICE.into_iter().map(switch))}
                </fieldset>
                <p role="status">
                    <strong>{move || text(outcome())}</strong>
                </p>
                {sheet_table(
                    "What the chosen guards stop",
                    "What the chosen guards stop",
                    ["Request", "From", "Outcome"],
                    rows,
                )}
            </div>
        </details>
    }
    .into_any()
}

fn describe(outcome: &RequestOutcome) -> String {
    match outcome {
        RequestOutcome::Stopped(CsrfDefence::None) => "stopped by the browser, without any guard".into(),
        RequestOutcome::Stopped(guard) => format!("stopped by {}", labels::csrf_defence(*guard)),
        RequestOutcome::Passes => "gets through".into(),
        RequestOutcome::Unknown => "not measured".into(),
    }
}

#[cfg(test)]
mod tests {
    use lab_types::{Experiment, RunStatus};

    use super::*;
    use crate::test_run;

    /// A run in which these cells are safe, and all others exposed.
    fn run(safe: impl Fn(CsrfDefence, RequestSource, Vector) -> bool) -> RunSnapshot {
        let cell = |cell_id: CellId| match cell_id {
            CellId::Forgery {
                guard,
                source,
                vector,
            } if safe(guard, source, vector) => test_run::cell(cell_id, CellVerdict::Safe),
            _ => test_run::cell(cell_id, CellVerdict::Exposed),
        };
        let cells = Experiment::Forgery.rows().concat();
        test_run::run(
            Experiment::Forgery,
            RunStatus::Finished,
            cells.into_iter().map(cell).collect(),
        )
    }

    #[test]
    fn a_request_passes_only_if_it_passes_every_guard() {
        let run = run(|guard, source, vector| match guard {
            CsrfDefence::Strict => source == RequestSource::OtherSite,
            CsrfDefence::Origin => vector != Vector::Link,
            _ => false,
        });
        let (other, sibling, link) = (RequestSource::OtherSite, RequestSource::Sibling, Vector::Link);
        assert_eq!(outcome_of(&run, other, link, &[]), RequestOutcome::Passes);
        assert_eq!(
            outcome_of(&run, other, link, &[CsrfDefence::Origin, CsrfDefence::Strict]),
            RequestOutcome::Stopped(CsrfDefence::Strict)
        );
        assert_eq!(
            outcome_of(&run, sibling, link, &[CsrfDefence::Origin, CsrfDefence::Strict]),
            RequestOutcome::Passes
        );
        assert_eq!(
            sentence(&run, &[CsrfDefence::Strict, CsrfDefence::Origin]),
            "13 of 14 are stopped. Through come: Link (sibling)."
        );
    }

    #[test]
    fn an_unmeasured_request_is_not_counted_as_stopped() {
        let mut run = run(|_, _, _| false);
        run.cells.clear();
        assert_eq!(
            outcome_of(&run, RequestSource::OtherSite, Vector::Form, &[CsrfDefence::Lax]),
            RequestOutcome::Unknown
        );
        assert_eq!(sentence(&run, &[]), "0 of 14 are stopped. Not measured: 14.");
    }

    #[test]
    fn a_request_stopped_by_the_browser_needs_no_guard() {
        let run = run(|guard, _, vector| guard == CsrfDefence::None && vector == Vector::Image);
        assert_eq!(
            outcome_of(&run, RequestSource::OtherSite, Vector::Image, &[]),
            RequestOutcome::Stopped(CsrfDefence::None)
        );
    }
}
