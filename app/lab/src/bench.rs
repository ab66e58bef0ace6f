//! An experiment: its description, the button that starts a run, its table, and the evidence of the open cell.

use lab_types::paths;
use lab_types::{Concurrency, Defence, Experiment, NewRun, RunSnapshot, RunStatus};
use leptos::{prelude::*, task::spawn_local};
use session_client::ApiError;
use ui::{
    components::{Notice, Tone, list, maybe, text},
    format,
    session_ctx::use_session,
};

use super::{
    address::Address,
    evidence::EvidenceSection,
    experiment_state::ExperimentState,
    follow::{Follow, Found, path},
    guards::Guards,
    matrix::Matrix,
    prose,
    watch::unreachable,
    words,
};

/// The experiment with an unfinished run. All runs of a browser share its cookies and storage, so two runs at the same
/// time would disturb each other.
pub type UnderWay = RwSignal<Option<Experiment>>;

/// A complete experiment.
#[component]
pub fn BenchSection(bench: Experiment, address: Address, under_way: UnderWay) -> impl IntoView {
    let session = use_session();
    let experiment = ExperimentState::of(bench, address);
    Effect::new(move |_| {
        if session.hydrated() {
            experiment.follow.turn_to(experiment.run_id.get());
        }
    });
    view! {
        <div class="lab__bench">
            <RunCard experiment under_way />
            <Matrix experiment />
            {maybe((bench == Experiment::Forgery).then(|| view! { <Guards run=experiment.follow.run() /> }))}
            <EvidenceSection experiment />
        </div>
    }
    .into_any()
}

/// The start button, and the progress of the run.
#[component]
fn RunCard(experiment: ExperimentState, under_way: UnderWay) -> impl IntoView {
    let session = use_session();
    let follow = experiment.follow;
    let run = follow.run();
    let without = RwSignal::new(None::<Defence>);
    let crowd = RwSignal::new(Concurrency::default());
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<String>);
    // Others may start when this run is finished or gone. A run that continues although this page did not start it was
    // started before this tab left to act as the second tab, and came back.
    Effect::new(move |before: Option<u32>| {
        let (done, is_finished) = run.with(|run| {
            let run = run.as_ref();
            let is_finished = run.is_some_and(|run| run.status == RunStatus::Finished);
            (run.map_or(u32::MAX, |run| run.done), is_finished)
        });
        let is_over = is_finished || follow.found() == Found::Gone;
        let is_mine = under_way.get_untracked() == Some(experiment.bench);
        if is_over && is_mine {
            under_way.set(None);
        } else if !is_over
            && before.is_some_and(|before| before < done)
            && under_way.get_untracked().is_none()
        {
            under_way.set(Some(experiment.bench));
        }
        done
    });
    let start = move |_| {
        if busy.get_untracked() {
            return;
        }
        failure.set(under_way.get_untracked().map(must_wait));
        if failure.with_untracked(Option::is_some) {
            return;
        }
        busy.set(true);
        under_way.set(Some(experiment.bench));
        spawn_local(async move {
            let new = NewRun {
                experiment: experiment.bench,
                without: without.get_untracked(),
                concurrency: crowd.get_untracked(),
            };
            match follow.start(new).await {
                Ok(id) => experiment.show_run(id),
                Err(error) => {
                    failure.try_set(Some(reason(&error)));
                    under_way.try_set(None);
                }
            }
            busy.try_set(false);
        });
    };
    let line = move || {
        text(match follow.found() {
            Found::Nothing => "Not run yet.".into(),
            Found::Asking => "Asking for the run.".into(),
            _ => run.with(|run| run.as_ref().map(words::progress).unwrap_or_default()),
        })
    };
    let steps = move || {
        maybe(run.read().as_ref().filter(|run| run.steps > 0).map(|run| {
            view! {
                <progress
                    class="meter__bar"
                    aria-label="Steps of the run"
                    max=run.steps.to_string()
                    value=run.done.to_string()
                ></progress>
            }
        }))
    };
    view! {
        <section class="card lab__run" aria-labelledby=experiment.bench.slug()>
            <h2 class="card__title" id=experiment.bench.slug()>{words::title(experiment.bench)}</h2>
            <div class="lab__prose" inner_html=prose::procedure(experiment.bench)></div>
            {maybe((experiment.bench == Experiment::Storage).then(|| view! { <Defences without /> }))}
            {maybe((experiment.bench == Experiment::Races).then(|| view! { <Sizes crowd /> }))}
            <div class="form__row">
                <button
                    class="button button--primary"
                    type="button"
                    disabled=move || !session.hydrated()
                    aria-disabled=move || busy.get().then_some("true")
                    on:click=start
                >
                    {words::start(experiment.bench)}
                </button>
                {move || maybe(experiment.run_id.get().filter(|_| run.read().is_some()).map(|id| download(&id)))}
            </div>
            <div class="lab__progress">
                <p role="status">{move || line()}</p>
                {move || steps()}
            </div>
            {move || maybe(run.get().map(|run| view! { <Facts run /> }))}
            <div role="alert">{move || trouble(failure.get(), follow)}</div>
        </section>
    }
    .into_any()
}

/// The reason why no run can start now.
fn must_wait(running: Experiment) -> String {
    format!(
        "“{}” is still running, and two runs at once would spoil each other. Wait until it is finished. If you have closed its \
         window, reload this page.",
        words::title(running)
    )
}

fn download(id: &str) -> impl IntoView + use<> {
    view! {
        <a class="button" href=path(paths::REPORT, id) download="" rel="external">
            "Download the results (JSON)"
        </a>
    }
}

/// Selects the defence to turn off. The server's HTML explains each defence.
#[component]
fn Defences(without: RwSignal<Option<Defence>>) -> impl IntoView {
    let session = use_session();
    let choice = move |defence: Option<Defence>| {
        let id = defence.map_or("none", Defence::slug);
        view! {
            <div class="check">
                <input
                    class="check__box"
                    type="radio"
                    name="without"
                    id=format!("without-{id}")
                    value=id
                    checked=defence.is_none()
                    prop:checked=move || without.get() == defence
                    autocomplete="off"
                    disabled=move || !session.hydrated()
                    on:change=move |_| without.set(defence)
                />
                <label for=format!("without-{id}")>{defence.map_or("None: all of them are on", words::defence)}</label>
                <p class="check__hint" inner_html=prose::defence(defence)></p>
            </div>
        }
    };
    let all = std::iter::once(None).chain(Defence::ALL.iter().copied().map(Some));
    view! {
        <details class="details">
            <summary>
                "Without a defence: "
                {move || text(without.get().map_or("none", words::defence))}
            </summary>
            <fieldset class="lab__defences">
                <legend class="sr-only">"Without a defence"</legend>
                {list(all.map(choice))}
            </fieldset>
        </details>
    }
    .into_any()
}

/// Selects the number of concurrent refreshes.
#[component]
fn Sizes(crowd: RwSignal<Concurrency>) -> impl IntoView {
    let session = use_session();
    let slider = move |id,
                       name,
                       [least, most]: [u8; 2],
                       part: fn(Concurrency) -> u8,
                       with: fn(Concurrency, u8) -> Option<Concurrency>| {
        view! {
            <div class="field">
                <div class="field__head">
                    <label for=id>{name}</label>
                    <span class="field__aside">{move || text(part(crowd.get()).to_string())}</span>
                </div>
                <input
                    type="range"
                    id=id
                    min=least.to_string()
                    max=most.to_string()
                    value=part(crowd.get_untracked()).to_string()
                    autocomplete="off"
                    disabled=move || !session.hydrated()
                    on:input=move |event| {
                        let chosen = event_target_value(&event).parse().ok();
                        if let Some(chosen) = chosen.and_then(|number| with(crowd.get_untracked(), number)) {
                            crowd.set(chosen);
                        }
                    }
                />
            </div>
        }
        .into_any()
    };
    view! {
        <div class="lab__pair">
            {slider("crowd-tabs", "Tabs", Concurrency::TABS, Concurrency::tabs, |crowd, tabs| Concurrency::new(tabs, crowd.requests()))}
            {slider(
                "crowd-requests",
                "Requests of each tab, at once",
                Concurrency::REQUESTS,
                Concurrency::requests,
                |crowd, requests| Concurrency::new(crowd.tabs(), requests),
            )}
        </div>
    }
    .into_any()
}

/// The browser and the time of the run.
#[component]
fn Facts(run: RunSnapshot) -> impl IntoView {
    let at = run.started_at_ms / 1000;
    let offset = use_session()
        .platform()
        .map_or(0, |platform| platform.utc_offset_minutes(at));
    view! {
        <p class="card__note">
            <time datetime=format::rfc3339(at)>{format::date_time(at, offset)}</time>
            ", "
            {run.browser}
            {text(run.concurrency.map_or_else(String::new, |crowd| words::crowd(crowd, &run.database)))}
            {text(run.without.map_or_else(String::new, |one| format!(". Without: {}.", words::defence(one))))}
        </p>
    }
    .into_any()
}

/// Why a run cannot be shown, and what to do about it.
fn trouble(failure: Option<String>, follow: Follow) -> AnyView {
    if let Some(reason) = failure {
        return view! {
            <Notice tone=Tone::Alarm title="The run could not be started">
                <p>{reason}</p>
            </Notice>
        }
        .into_any();
    }
    if let Some(runner) = follow.blocked_runner() {
        return view! {
            <Notice tone=Tone::Plain title="The window has not reported yet">
                <p>"Your browser may have kept it from opening. Open it yourself; it closes when it is done."</p>
                <p>
                    <a class="button" href=runner target="_blank" rel="noopener external">"Open the runner"</a>
                </p>
            </Notice>
        }
        .into_any();
    }
    match follow.found() {
        Found::Gone => view! {
            <Notice tone=Tone::Plain title="This run is not there any more">
                <p>"Runs are kept for an hour, in the server’s memory. Start a new one."</p>
            </Notice>
        }
        .into_any(),
        Found::Unreachable => unreachable(),
        Found::Here if follow.waits_elsewhere() => view! {
            <Notice tone=Tone::Plain title="This run waits for the tab that began it">
                <p>"If that tab is gone, start a new run."</p>
            </Notice>
        }
        .into_any(),
        _ => ().into_any(),
    }
}

pub(super) fn reason(error: &ApiError) -> String {
    match error {
        ApiError::Problem(problem) => problem.detail.clone(),
        _ => "The server did not answer as it should. Try again in a moment.".into(),
    }
}
