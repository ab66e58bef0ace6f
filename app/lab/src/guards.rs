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

use super::words;

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
enum Fate {
    /// Blocked, by the first selected defence that stops it.
    Stopped(CsrfDefence),
    Passes,
    /// One of the cells has no verdict.
    Unknown,
}

fn fate(run: &RunSnapshot, source: RequestSource, vector: Vector, chosen: &[CsrfDefence]) -> Fate {
    let verdict = |guard: CsrfDefence| {
        let place = CellId::Forgery {
            guard,
            source,
            vector,
        };
        run.cells
            .iter()
            .find(|cell| cell.id == place)
            .map_or(CellVerdict::NotMeasured, |cell| cell.verdict)
    };
    // The result without any defence, from the browser alone, comes first.
    let mut all = std::iter::once(CsrfDefence::None).chain(chosen.iter().copied());
    if let Some(guard) = all.clone().find(|guard| verdict(*guard) == CellVerdict::Safe) {
        Fate::Stopped(guard)
    } else if all.all(|guard| verdict(guard) == CellVerdict::Exposed) {
        Fate::Passes
    } else {
        Fate::Unknown
    }
}

fn sentence(run: &RunSnapshot, chosen: &[CsrfDefence]) -> String {
    let (mut through, mut unknown) = (Vec::new(), 0);
    for source in RequestSource::ALL {
        for vector in Vector::ALL {
            match fate(run, *source, *vector, chosen) {
                Fate::Passes => through.push(format!(
                    "{} ({})",
                    words::vector(*vector),
                    match source {
                        RequestSource::OtherSite => "another site",
                        RequestSource::Sibling => "sibling",
                    }
                )),
                Fate::Stopped(_) => {}
                Fate::Unknown => unknown += 1,
            }
        }
    }
    let all = RequestSource::ALL.len() * Vector::ALL.len();
    let stopped = all - through.len() - unknown;
    let mut told = vec![format!("{stopped} of {all} are stopped.")];
    if !through.is_empty() {
        told.push(format!("Through come: {}.", through.join(", ")));
    }
    if unknown > 0 {
        told.push(format!("Not measured: {unknown}."));
    }
    told.join(" ")
}

/// The checkboxes and the result.
#[component]
pub fn Guards(run: ReadSignal<Option<RunSnapshot>>) -> impl IntoView {
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
                <label for=id>{words::csrf_defence(guard)}</label>
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
        let fates = run.with(|run| {
            let run = run.as_ref()?;
            let pairs = RequestSource::ALL
                .iter()
                .flat_map(|source| Vector::ALL.iter().map(move |vector| (*source, *vector)));
            let told = |(source, vector)| {
                let fate = chosen.with(|chosen| fate(run, source, vector, chosen));
                (words::vector(vector), words::source(source), told(&fate))
            };
            Some(pairs.map(told).collect::<Vec<_>>())
        });
        list(
            fates
                .unwrap_or_default()
                .into_iter()
                .map(|(vector, source, fate)| {
                    view! {
                        <tr>
                            <th scope="row">{vector}</th>
                            <td>{source}</td>
                            <td>{fate}</td>
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
                <div class="table-sheet" tabindex="0" role="group" aria-label="What the chosen guards stop">
                    <table class="table">
                        <thead>
                            <tr>
                                <th scope="col">"Request"</th>
                                <th scope="col">"From"</th>
                                <th scope="col">"Outcome"</th>
                            </tr>
                        </thead>
                        <tbody>{move || rows()}</tbody>
                    </table>
                </div>
            </div>
        </details>
    }
    .into_any()
}

fn told(fate: &Fate) -> String {
    match fate {
        Fate::Stopped(CsrfDefence::None) => "stopped by the browser, without any guard".into(),
        Fate::Stopped(guard) => format!("stopped by {}", words::csrf_defence(*guard)),
        Fate::Passes => "gets through".into(),
        Fate::Unknown => "not measured".into(),
    }
}

#[cfg(test)]
mod tests {
    use lab_types::{Cell, Experiment, RunStatus};

    use super::*;

    /// A run in which these cells are safe, and all others exposed.
    fn run(safe: impl Fn(CsrfDefence, RequestSource, Vector) -> bool) -> RunSnapshot {
        let cell = |place: CellId| Cell {
            id: place,
            verdict: match place {
                CellId::Forgery {
                    guard,
                    source,
                    vector,
                } if safe(guard, source, vector) => CellVerdict::Safe,
                _ => CellVerdict::Exposed,
            },
            because: String::new(),
            measured_at_ms: Some(0),
        };
        RunSnapshot {
            id: "1".into(),
            experiment: Experiment::Forgery,
            started_at_ms: 0,
            browser: String::new(),
            database: String::new(),
            without: None,
            concurrency: None,
            status: RunStatus::Finished,
            done: 0,
            steps: 0,
            doing: String::new(),
            cells: Experiment::Forgery
                .rows()
                .concat()
                .into_iter()
                .map(cell)
                .collect(),
        }
    }

    #[test]
    fn a_request_passes_only_if_it_passes_every_guard() {
        let run = run(|guard, source, vector| match guard {
            CsrfDefence::Strict => source == RequestSource::OtherSite,
            CsrfDefence::Origin => vector != Vector::Link,
            _ => false,
        });
        let (other, sibling, link) = (RequestSource::OtherSite, RequestSource::Sibling, Vector::Link);
        assert_eq!(fate(&run, other, link, &[]), Fate::Passes);
        assert_eq!(
            fate(&run, other, link, &[CsrfDefence::Origin, CsrfDefence::Strict]),
            Fate::Stopped(CsrfDefence::Strict)
        );
        assert_eq!(
            fate(&run, sibling, link, &[CsrfDefence::Origin, CsrfDefence::Strict]),
            Fate::Passes
        );
        assert_eq!(
            sentence(&run, &[CsrfDefence::Strict, CsrfDefence::Origin]),
            "13 of 14 are stopped. Through come: Link (sibling)."
        );
    }

    #[test]
    fn what_is_not_measured_is_not_promised() {
        let mut run = run(|_, _, _| false);
        run.cells.clear();
        assert_eq!(
            fate(&run, RequestSource::OtherSite, Vector::Form, &[CsrfDefence::Lax]),
            Fate::Unknown
        );
        assert_eq!(sentence(&run, &[]), "0 of 14 are stopped. Not measured: 14.");
    }

    #[test]
    fn a_browser_that_keeps_cookies_back_needs_no_guard_for_that() {
        let run = run(|guard, _, vector| guard == CsrfDefence::None && vector == Vector::Image);
        assert_eq!(
            fate(&run, RequestSource::OtherSite, Vector::Image, &[]),
            Fate::Stopped(CsrfDefence::None)
        );
    }
}
