//! CSRF defences combined: which of the measured requests would pass all of them.
//!
//! Each defence looks at the request alone, so a request passes several if it passes each. The cells of the table are
//! enough to decide that, and nothing has to run again.

use lab_types::{Guard, Place, Run, Source, Vector, Verdict};
use leptos::{ev::Event, prelude::*};
use ui::{
    components::{list, text},
    session_ctx::use_session,
};

use crate::{components::sheet_table, labels};

/// The options: each defence that has a column in the table.
const CHOICE: [Guard; 7] = [
    Guard::Lax,
    Guard::Strict,
    Guard::Origin,
    Guard::FetchMetadata,
    Guard::CustomHeader,
    Guard::DoubleSubmit,
    Guard::HostDoubleSubmit,
];

/// The result for one kind of request.
#[derive(Debug, Clone, PartialEq, Eq)]
enum RequestOutcome {
    /// Blocked, by the first selected defence that stops it.
    Stopped(Guard),
    Passes,
    /// One of the cells has no verdict.
    Unknown,
}

fn outcome_of(run: &Run, source: Source, vector: Vector, chosen: &[Guard]) -> RequestOutcome {
    let verdict = |guard: Guard| {
        let place = Place::Forgery {
            guard,
            source,
            vector,
        };
        run.cells
            .iter()
            .find(|cell| cell.place == place)
            .map_or(Verdict::NotMeasured, |cell| cell.verdict)
    };
    // The result without any defence, from the browser alone, comes first.
    let mut all = std::iter::once(Guard::None).chain(chosen.iter().copied());
    if let Some(guard) = all.clone().find(|guard| verdict(*guard) == Verdict::Safe) {
        RequestOutcome::Stopped(guard)
    } else if all.all(|guard| verdict(guard) == Verdict::Exposed) {
        RequestOutcome::Passes
    } else {
        RequestOutcome::Unknown
    }
}

fn sentence(run: &Run, chosen: &[Guard]) -> String {
    let (mut through, mut unknown) = (Vec::new(), 0);
    for source in Source::ALL {
        for vector in Vector::ALL {
            match outcome_of(run, *source, *vector, chosen) {
                RequestOutcome::Passes => through.push(format!(
                    "{} ({})",
                    labels::vector(*vector),
                    match source {
                        Source::OtherSite => "another site",
                        Source::Sibling => "sibling",
                    }
                )),
                RequestOutcome::Stopped(_) => {}
                RequestOutcome::Unknown => unknown += 1,
            }
        }
    }
    let all = Source::ALL.len() * Vector::ALL.len();
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
pub fn CombinedDefences(run: ReadSignal<Option<Run>>) -> impl IntoView {
    let session = use_session();
    let chosen = RwSignal::new(Vec::<Guard>::new());
    let switch = move |guard: Guard| {
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
                <label for=id>{labels::guard(guard)}</label>
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
            let pairs = Source::ALL
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
                <p role="status"><strong>{move || text(outcome())}</strong></p>
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
        RequestOutcome::Stopped(Guard::None) => "stopped by the browser, without any guard".into(),
        RequestOutcome::Stopped(guard) => format!("stopped by {}", labels::guard(*guard)),
        RequestOutcome::Passes => "gets through".into(),
        RequestOutcome::Unknown => "not measured".into(),
    }
}

#[cfg(test)]
mod tests {
    use lab_types::{Bench, Stage};

    use super::*;
    use crate::test_run;

    /// A run in which these cells are safe, and all others exposed.
    fn run(safe: impl Fn(Guard, Source, Vector) -> bool) -> Run {
        let cell = |place: Place| match place {
            Place::Forgery {
                guard,
                source,
                vector,
            } if safe(guard, source, vector) => test_run::cell(place, Verdict::Safe),
            _ => test_run::cell(place, Verdict::Exposed),
        };
        let places = Bench::Forgery.rows().concat();
        test_run::run(
            Bench::Forgery,
            Stage::Finished,
            places.into_iter().map(cell).collect(),
        )
    }

    #[test]
    fn a_request_passes_only_if_it_passes_every_guard() {
        let run = run(|guard, source, vector| match guard {
            Guard::Strict => source == Source::OtherSite,
            Guard::Origin => vector != Vector::Link,
            _ => false,
        });
        let (other, sibling, link) = (Source::OtherSite, Source::Sibling, Vector::Link);
        assert_eq!(outcome_of(&run, other, link, &[]), RequestOutcome::Passes);
        assert_eq!(
            outcome_of(&run, other, link, &[Guard::Origin, Guard::Strict]),
            RequestOutcome::Stopped(Guard::Strict)
        );
        assert_eq!(
            outcome_of(&run, sibling, link, &[Guard::Origin, Guard::Strict]),
            RequestOutcome::Passes
        );
        assert_eq!(
            sentence(&run, &[Guard::Strict, Guard::Origin]),
            "13 of 14 are stopped. Through come: Link (sibling)."
        );
    }

    #[test]
    fn an_unmeasured_request_is_not_counted_as_stopped() {
        let mut run = run(|_, _, _| false);
        run.cells.clear();
        assert_eq!(
            outcome_of(&run, Source::OtherSite, Vector::Form, &[Guard::Lax]),
            RequestOutcome::Unknown
        );
        assert_eq!(sentence(&run, &[]), "0 of 14 are stopped. Not measured: 14.");
    }

    #[test]
    fn a_request_stopped_by_the_browser_needs_no_guard() {
        let run = run(|guard, _, vector| guard == Guard::None && vector == Vector::Image);
        assert_eq!(
            outcome_of(&run, Source::OtherSite, Vector::Image, &[]),
            RequestOutcome::Stopped(Guard::None)
        );
    }
}
