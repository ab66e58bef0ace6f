//! Follows a run as it happens.

use std::time::Duration;

use lab_types::paths;
use lab_types::{NewRun, RunSnapshot, RunStarted, RunStatus};
use leptos::prelude::*;
use session_client::{ApiError, ApiRequest, ApiResponse, Method};

pub use super::watch::{Found, path};
use super::{
    port::Port,
    watch::{Source, Watch},
};

/// If the runner has not started by then, the browser probably blocked its window.
const WINDOW_OPENS_WITHIN: Duration = Duration::from_secs(3);
/// The endpoints of runs.
static RUNS: Source = Source {
    path: paths::RUN,
    events: paths::RUN_EVENTS,
    event: "run",
};

/// The run of this page. Copies share it.
#[derive(Debug, Clone, Copy)]
pub struct Follow {
    told: Told,
    waited: RwSignal<bool>,
    watch: Watch,
}

/// The latest report of the run, and this page's part in it.
#[derive(Debug, Clone, Copy)]
struct Told {
    port: Port,
    run: RwSignal<Option<RunSnapshot>>,
    /// The run that this page started. Only this tab is the second tab that the runner waits for; another visitor with
    /// the same link stays here.
    started: RwSignal<Option<RunStarted>>,
    /// This tab is leaving to act as the second tab.
    leaving: RwSignal<bool>,
}

impl Follow {
    /// Creates the state, which ends with the page. `expected` if there is a run in the URL.
    pub fn of_page(expected: bool) -> Self {
        let told = Told {
            port: Port::of_page(),
            run: RwSignal::new(None),
            started: RwSignal::new(None),
            leaving: RwSignal::new(false),
        };
        let take = move |answer: Option<ApiResponse>| {
            let run = answer.map(|answer| answer.json()).transpose()?;
            Ok(told.take(run))
        };
        Self {
            told,
            waited: RwSignal::new(false),
            watch: Watch::of_page(&RUNS, expected, take),
        }
    }

    /// The latest state of the run; tracked.
    pub fn run(self) -> ReadSignal<Option<RunSnapshot>> {
        self.told.run.read_only()
    }

    /// Whether the run exists; tracked.
    pub fn found(self) -> Found {
        self.watch.found()
    }

    /// The address of a runner that was opened a while ago and has not started; tracked.
    pub fn blocked_runner(self) -> Option<String> {
        let (id, runner) = self
            .told
            .started
            .with(|started| started.as_ref().map(|run| (run.id.clone(), run.runner.clone())))?;
        let idle = self
            .told
            .run
            .with(|run| run.as_ref().is_some_and(|run| run.id == id && !has_begun(run)));
        (idle && self.waited.get()).then_some(runner)
    }

    /// Whether the run waits for a second tab other than this one; tracked.
    pub fn waits_elsewhere(self) -> bool {
        !self.told.leaving.get()
            && self.told.run.with(|run| {
                run.as_ref()
                    .is_some_and(|run| run.status == RunStatus::WantsSecondTab)
            })
    }

    /// Starts a run and opens its runner. Returns the id for the URL of this page.
    ///
    /// # Errors
    ///
    /// Errors of the server or the network.
    pub async fn start(self, new: NewRun) -> Result<String, ApiError> {
        let port = self.told.port.get().ok_or(ApiError::Offline)?;
        let request = ApiRequest::new(Method::Post, paths::RUNS).with_json(&new);
        let answer = port.send(request).await.map_err(|_| ApiError::Offline)?;
        let started: RunStarted = answer.json()?;
        port.open_window(&started.runner);
        let id = started.id.clone();
        self.waited.try_set(false);
        self.told.started.try_set(Some(started));
        set_timeout(
            move || {
                self.waited.try_set(true);
            },
            WINDOW_OPENS_WITHIN,
        );
        Ok(id)
    }

    /// Switches to another run, or to none.
    pub fn turn_to(self, id: Option<String>) {
        self.watch.turn_to(id);
    }
}

impl Told {
    /// Shows the run, and goes where the runner wants this tab. Returns `true` if more will follow.
    fn take(self, run: Option<RunSnapshot>) -> bool {
        let Some(run) = run else {
            self.run.set(None);
            return false;
        };
        let stage = run.status;
        // Once: the browser stays here until the other page has loaded, and meanwhile the server repeats the request.
        let second_tab = self
            .started
            .try_update(|started| {
                started.take_if(|one| one.id == run.id && stage == RunStatus::WantsSecondTab)
            })
            .flatten();
        if second_tab.is_some() {
            self.leaving.set(true);
        }
        self.run.set(Some(run));
        if let (Some(started), Some(port)) = (second_tab, self.port.get()) {
            port.leave_for(&started.second_tab);
        }
        stage != RunStatus::Finished
    }
}

/// Whether the runner has reported. The first step takes longest, so the number of finished steps would show it too
/// late.
fn has_begun(run: &RunSnapshot) -> bool {
    run.done > 0
        || run.status != RunStatus::Running
        || run.cells.iter().any(|cell| cell.measured_at_ms.is_some())
}

#[cfg(test)]
mod tests {
    use lab_types::{Cell, CellId, CellVerdict, Experiment, Strategy, Threat};

    use super::*;

    #[test]
    fn a_run_has_begun_with_its_first_sign_of_life() {
        let silent = RunSnapshot {
            id: "a1".into(),
            experiment: Experiment::Storage,
            started_at_ms: 0,
            browser: String::new(),
            database: String::new(),
            without: None,
            concurrency: None,
            status: RunStatus::Running,
            done: 0,
            steps: 61,
            doing: String::new(),
            cells: vec![Cell {
                id: CellId::Storage {
                    strategy: Strategy::Memory,
                    threat: Threat::Reload,
                },
                verdict: CellVerdict::NotMeasured,
                because: String::new(),
                measured_at_ms: None,
            }],
        };
        assert!(!has_begun(&silent));
        let mut seen = silent.clone();
        seen.cells[0].measured_at_ms = Some(1);
        assert!(has_begun(&seen));
        let mut waiting = silent.clone();
        waiting.status = RunStatus::WantsSecondTab;
        assert!(has_begun(&waiting));
        assert!(has_begun(&RunSnapshot { done: 1, ..silent }));
    }
}
