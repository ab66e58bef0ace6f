//! The start button of an experiment, and the progress of its run.

use lab_types::paths;
use lab_types::{Concurrency, Defence, Experiment, NewRun, RunSnapshot, RunStatus};
use leptos::{prelude::*, task::spawn_local};
use ui::{
    components::{Notice, Tone, maybe, text},
    format,
    session_ctx::use_session,
};

use super::{options, run::CurrentRun, state::ExperimentState};
use crate::{
    components::notice,
    labels,
    prose::{self, Prose},
    resource_watch::{LoadStatus, path, unreachable},
};

/// The experiment with an unfinished run. All runs of a browser share its cookies and storage, so two runs at the same
/// time would disturb each other.
pub type RunningExperiment = RwSignal<Option<Experiment>>;

/// The start button, and the progress of the run.
#[component]
pub fn RunCard(experiment: ExperimentState, running: RunningExperiment) -> impl IntoView {
    let session = use_session();
    let current = experiment.run;
    let run = current.latest();
    let without = RwSignal::new(None::<Defence>);
    let concurrency = RwSignal::new(Concurrency::default());
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
        let is_over = is_finished || current.status() == LoadStatus::Gone;
        let is_mine = running.get_untracked() == Some(experiment.kind);
        if is_over && is_mine {
            running.set(None);
        } else if !is_over && before.is_some_and(|before| before < done) && running.get_untracked().is_none()
        {
            running.set(Some(experiment.kind));
        }
        done
    });
    let start = move |_| {
        if busy.get_untracked() {
            return;
        }
        failure.set(running.get_untracked().map(must_wait));
        if failure.with_untracked(Option::is_some) {
            return;
        }
        busy.set(true);
        running.set(Some(experiment.kind));
        spawn_local(async move {
            let new = NewRun {
                experiment: experiment.kind,
                without: without.get_untracked(),
                concurrency: concurrency.get_untracked(),
            };
            match current.start(new).await {
                Ok(id) => experiment.show_run(id),
                Err(error) => {
                    failure.try_set(Some(labels::failure(&error)));
                    running.try_set(None);
                }
            }
            busy.try_set(false);
        });
    };
    let line = move || {
        text(match current.status() {
            LoadStatus::Nothing => "Not run yet.".into(),
            LoadStatus::Loading => "Asking for the run.".into(),
            _ => run.with(|run| run.as_ref().map(labels::progress).unwrap_or_default()),
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
        <section class="card lab__run" aria-labelledby=experiment.kind.slug()>
            <h2 class="card__title" id=experiment.kind.slug()>
                {labels::title(experiment.kind)}
            </h2>
            <div class="lab__prose" inner_html=prose::html(Prose::Experiment(experiment.kind))></div>
            {maybe((experiment.kind == Experiment::Storage).then(|| options::defences(without)))}
            {maybe((experiment.kind == Experiment::Races).then(|| options::concurrency(concurrency)))}
            <div class="form__row">
                <button
                    class="button button--primary"
                    type="button"
                    disabled=move || !session.hydrated()
                    aria-disabled=move || busy.get().then_some("true")
                    on:click=start
                >
                    {labels::start(experiment.kind)}
                </button>
                {move || maybe(
                    experiment.run_id.get().filter(|_| run.read().is_some()).map(|id| download(&id)),
                )}
            </div>
            <div class="lab__progress">
                <p role="status">{move || line()}</p>
                {move || steps()}
            </div>
            {move || maybe(run.get().map(|run| facts(&run)))}
            <div role="alert">{move || trouble(failure.get(), current)}</div>
        </section>
    }
    .into_any()
}

/// The reason why no run can start now.
fn must_wait(running: Experiment) -> String {
    format!(
        "“{}” is still running, and two runs at once would spoil each other. Wait until it is finished. If you have closed its \
         window, reload this page.",
        labels::title(running)
    )
}

fn download(id: &str) -> impl IntoView + use<> {
    view! {
        <a class="button" href=path(paths::REPORT, id) download="" rel="external">
            "Download the results (JSON)"
        </a>
    }
}

/// The browser and the time of the run.
fn facts(run: &RunSnapshot) -> AnyView {
    let at = run.started_at_ms / 1000;
    let offset = use_session()
        .platform()
        .map_or(0, |platform| platform.utc_offset_minutes(at));
    view! {
        <p class="card__note">
            <time datetime=format::rfc3339(at)>{format::date_time(at, offset)}</time>
            ", "
            {run.browser.clone()}
            {text(
                run
                    .concurrency
                    .map_or_else(String::new, |concurrency| labels::concurrency(concurrency, &run.database)),
            )}
            {text(
                run.without.map_or_else(String::new, |one| format!(". Without: {}.", labels::defence(one))),
            )}
        </p>
    }
    .into_any()
}

/// Why a run cannot be shown, and what to do about it.
fn trouble(failure: Option<String>, current: CurrentRun) -> AnyView {
    if let Some(reason) = failure {
        return notice(Tone::Alarm, "The run could not be started", reason);
    }
    if let Some(runner) = current.blocked_runner() {
        return view! {
            <Notice tone=Tone::Plain title="The window has not reported yet">
                <p>
                    "Your browser may have kept it from opening. Open it yourself; it closes when it is done."
                </p>
                <p>
                    <a class="button" href=runner target="_blank" rel="noopener external">
                        "Open the runner"
                    </a>
                </p>
            </Notice>
        }
        .into_any();
    }
    match current.status() {
        LoadStatus::Gone => notice(
            Tone::Plain,
            "This run is not there any more",
            "Runs are kept for an hour, in the server’s memory. Start a new one.",
        ),
        LoadStatus::Unreachable => unreachable(),
        LoadStatus::Here if current.waits_elsewhere() => notice(
            Tone::Plain,
            "This run waits for the tab that began it",
            "If that tab is gone, start a new run.",
        ),
        _ => ().into_any(),
    }
}
