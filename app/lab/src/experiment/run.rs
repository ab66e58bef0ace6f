//! The run of an experiment: started, and followed as it happens.

use std::time::Duration;

use lab_types::paths;
use lab_types::{NewRun, RunSnapshot, RunStarted, RunStatus};
use leptos::prelude::*;
use session_client::{ApiError, ApiRequest, ApiResponse, Method};

use crate::{
    lab_port::PortHandle,
    resource_watch::{Endpoints, LoadStatus, ResourceWatch},
};

/// If the runner has not started by then, the browser probably blocked its window.
const WINDOW_OPENS_WITHIN: Duration = Duration::from_secs(3);
/// The endpoints of runs.
static ENDPOINTS: Endpoints = Endpoints {
    resource: paths::RUN,
    events: paths::RUN_EVENTS,
    event: "run",
};

/// The run of this page. Copies share it.
#[derive(Debug, Clone, Copy)]
pub struct CurrentRun {
    signals: RunSignals,
    waited: RwSignal<bool>,
    watch: ResourceWatch,
}

/// The latest report of the run, and this page's part in it.
#[derive(Debug, Clone, Copy)]
struct RunSignals {
    port: PortHandle,
    run: RwSignal<Option<RunSnapshot>>,
    /// The run that this page started. Only this tab is the second tab that the runner waits for; another visitor with
    /// the same link stays here.
    started: RwSignal<Option<RunStarted>>,
    /// This tab is leaving to act as the second tab.
    leaving: RwSignal<bool>,
}

impl CurrentRun {
    /// Creates the state, which ends with the page. `expected` if there is a run in the URL.
    pub fn of_page(expected: bool) -> Self {
        let signals = RunSignals {
            port: PortHandle::of_page(),
            run: RwSignal::new(None),
            started: RwSignal::new(None),
            leaving: RwSignal::new(false),
        };
        let on_update = move |answer: Option<ApiResponse>| {
            let run = answer.map(|answer| answer.json()).transpose()?;
            Ok(signals.update(run))
        };
        Self {
            signals,
            waited: RwSignal::new(false),
            watch: ResourceWatch::of_page(&ENDPOINTS, expected, on_update),
        }
    }

    /// The latest state of the run; tracked.
    pub fn latest(self) -> ReadSignal<Option<RunSnapshot>> {
        self.signals.run.read_only()
    }

    /// Whether the run exists; tracked.
    pub fn status(self) -> LoadStatus {
        self.watch.status()
    }

    /// The address of a runner that was opened a while ago and has not started; tracked.
    pub fn blocked_runner(self) -> Option<String> {
        let (id, runner) = self
            .signals
            .started
            .with(|started| started.as_ref().map(|run| (run.id.clone(), run.runner.clone())))?;
        let idle = self
            .signals
            .run
            .with(|run| run.as_ref().is_some_and(|run| run.id == id && !has_begun(run)));
        (idle && self.waited.get()).then_some(runner)
    }

    /// Whether the run waits for a second tab other than this one; tracked.
    pub fn waits_elsewhere(self) -> bool {
        !self.signals.leaving.get()
            && self.signals.run.with(|run| {
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
        let port = self.signals.port.get().ok_or(ApiError::Offline)?;
        let request = ApiRequest::new(Method::Post, paths::RUNS).with_json(&new);
        let answer = port.send(request).await.map_err(|_| ApiError::Offline)?;
        let started: RunStarted = answer.json()?;
        port.open_window(&started.runner);
        let id = started.id.clone();
        self.waited.try_set(false);
        self.signals.started.try_set(Some(started));
        set_timeout(
            move || {
                self.waited.try_set(true);
            },
            WINDOW_OPENS_WITHIN,
        );
        Ok(id)
    }

    /// Switches to another run, or to none.
    pub fn switch_to(self, id: Option<String>) {
        self.watch.switch_to(id);
    }
}

impl RunSignals {
    /// Shows the run, and goes where the runner wants this tab. Returns `true` if more will follow.
    fn update(self, run: Option<RunSnapshot>) -> bool {
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
    use lab_types::{CellId, CellVerdict, Experiment, Strategy, Threat};

    use super::*;
    use crate::test_run;

    #[test]
    fn a_run_has_begun_with_its_first_report() {
        let cell_id = CellId::Storage {
            strategy: Strategy::Memory,
            threat: Threat::Reload,
        };
        let cell = test_run::cell(cell_id, CellVerdict::NotMeasured);
        let silent = test_run::run(Experiment::Storage, RunStatus::Running, vec![cell]);
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
