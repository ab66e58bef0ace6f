//! A run, followed as it happens.

use std::{any::Any, time::Duration};

use api_types::{
    lab::{NewRun, Run, RunStarted, Stage},
    paths,
};
use leptos::{prelude::*, task::spawn_local};
use session_client::{ApiError, ApiRequest, ApiResponse, Method};

use super::port::{Heard, Port};

/// How often a run is asked for where there is no stream of it.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// A runner that has not begun by then was probably kept from opening.
const WINDOW_OPENS_WITHIN: Duration = Duration::from_secs(3);
/// The name of the events of a stream.
const RUN: &str = "run";

/// What is known of the run in the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// There is none in the address.
    Nothing,
    /// It is being asked for.
    Asking,
    /// It is here, and complete or followed.
    Here,
    /// The server does not know it, or not any more.
    Gone,
    /// The server does not answer. What is shown may be old.
    Unreachable,
}

/// The run of this page. Copies share it.
#[derive(Debug, Clone, Copy)]
pub struct Follow {
    port: Port,
    run: RwSignal<Option<Run>>,
    found: RwSignal<Found>,
    /// The run that this very page began. Only this tab is the second one that its runner waits for; another visitor
    /// with the same link stays here.
    started: RwSignal<Option<RunStarted>>,
    waited: RwSignal<bool>,
    /// This tab is on its way to be the second one.
    leaving: RwSignal<bool>,
    /// Counts the runs that were followed, so that an answer about an earlier one is told apart.
    turn: RwSignal<u32>,
    stream: StoredValue<Option<Box<dyn Any>>, LocalStorage>,
}

impl Follow {
    /// Ends with the page. `expected` if there is a run in the address.
    pub fn of_page(expected: bool) -> Self {
        let this = Self {
            port: Port::of_page(),
            run: RwSignal::new(None),
            found: RwSignal::new(if expected { Found::Asking } else { Found::Nothing }),
            started: RwSignal::new(None),
            waited: RwSignal::new(false),
            leaving: RwSignal::new(false),
            turn: RwSignal::new(0),
            stream: StoredValue::new_local(None),
        };
        on_cleanup(move || this.hang_up());
        this
    }

    /// The run as it was told last; tracked.
    pub fn run(self) -> ReadSignal<Option<Run>> {
        self.run.read_only()
    }

    /// Whether there is one; tracked.
    pub fn found(self) -> Found {
        self.found.get()
    }

    /// The address of a runner that has not begun although it was opened a while ago; tracked.
    pub fn blocked_runner(self) -> Option<String> {
        let (id, runner) = self
            .started
            .with(|started| started.as_ref().map(|run| (run.id.clone(), run.runner.clone())))?;
        let idle = self
            .run
            .with(|run| run.as_ref().is_some_and(|run| run.id == id && !has_begun(run)));
        (idle && self.waited.get()).then_some(runner)
    }

    /// Whether the run waits for a second tab that is not this one; tracked.
    pub fn waits_elsewhere(self) -> bool {
        !self.leaving.get()
            && self
                .run
                .with(|run| run.as_ref().is_some_and(|run| run.stage == Stage::WantsSecondTab))
    }

    /// Begins a run and opens its runner. The id is for the address of this page.
    ///
    /// # Errors
    ///
    /// As the server or the network says.
    pub async fn start(self, new: NewRun) -> Result<String, ApiError> {
        let port = self.port.get().ok_or(ApiError::Offline)?;
        let request = ApiRequest::new(Method::Post, paths::LAB_RUNS).with_json(&new);
        let answer = port.send(request).await.map_err(|_| ApiError::Offline)?;
        let started: RunStarted = answer.json()?;
        port.open_window(&started.runner);
        let id = started.id.clone();
        self.waited.try_set(false);
        self.started.try_set(Some(started));
        set_timeout(
            move || {
                self.waited.try_set(true);
            },
            WINDOW_OPENS_WITHIN,
        );
        Ok(id)
    }

    /// Turns to another run, or to none.
    pub fn turn_to(self, id: Option<String>) {
        self.hang_up();
        let turn = self.turn.get_untracked().wrapping_add(1);
        self.turn.set(turn);
        self.run.set(None);
        match id {
            Some(id) => {
                self.found.set(Found::Asking);
                self.ask(id, turn, true);
            }
            None => self.found.set(Found::Nothing),
        }
    }

    fn is_current(self, turn: u32) -> bool {
        self.turn.try_get_untracked() == Some(turn)
    }

    fn hang_up(self) {
        self.stream.try_update_value(Option::take);
    }

    /// Asks for the run, and goes on with a stream if `listen`, else by asking again.
    fn ask(self, id: String, turn: u32, listen: bool) {
        let Some(port) = self.port.get() else { return };
        let request = ApiRequest::new(Method::Get, path(paths::LAB_RUN, &id));
        spawn_local(async move {
            let answer = port.send(request).await;
            if !self.is_current(turn) {
                return;
            }
            match answer
                .map_err(|_| ApiError::Offline)
                .and_then(|answer| answer.json())
            {
                Ok(run) => {
                    let unfinished = self.take(run);
                    if unfinished && !(listen && self.listen(&id, turn)) {
                        self.ask_again(id, turn);
                    }
                }
                Err(ApiError::Problem(problem)) if matches!(problem.status, 404 | 410) => {
                    self.run.set(None);
                    self.found.set(Found::Gone);
                }
                Err(_) => {
                    self.found.set(Found::Unreachable);
                    self.ask_again(id, turn);
                }
            }
        });
    }

    fn ask_again(self, id: String, turn: u32) {
        set_timeout(
            move || {
                if self.is_current(turn) {
                    self.ask(id, turn, false);
                }
            },
            ASK_AGAIN,
        );
    }

    /// Opens the stream; `false` if there is none.
    fn listen(self, id: &str, turn: u32) -> bool {
        let Some(port) = self.port.get() else {
            return false;
        };
        let again = id.to_owned();
        let hear = move |heard| {
            if !self.is_current(turn) {
                return;
            }
            let run = match heard {
                Heard::Data(body) => {
                    let answer = ApiResponse {
                        status: 200,
                        body,
                        retry_after: None,
                    };
                    answer.json().ok()
                }
                Heard::Broken => None,
            };
            let Some(run) = run else {
                self.hang_up();
                self.ask_again(again.clone(), turn);
                return;
            };
            if !self.take(run) {
                self.hang_up();
            }
        };
        let stream = port.follow(&path(paths::LAB_RUN_EVENTS, id), RUN, Box::new(hear));
        let open = stream.is_some();
        self.stream.set_value(stream);
        open
    }

    /// Shows it, and goes where the runner wants this tab. `true` if there is more to come.
    fn take(self, run: Run) -> bool {
        let stage = run.stage;
        // Once: the browser stays here until the other page has come, and meanwhile the server says it again.
        let second_tab = self
            .started
            .try_update(|started| started.take_if(|one| one.id == run.id && stage == Stage::WantsSecondTab))
            .flatten();
        if second_tab.is_some() {
            self.leaving.set(true);
        }
        self.run.set(Some(run));
        self.found.set(Found::Here);
        if let (Some(started), Some(port)) = (second_tab, self.port.get()) {
            port.leave_for(&started.second_tab);
        }
        stage != Stage::Finished
    }
}

/// Whether its runner has said anything. The first step takes longest, so what is done tells too late.
fn has_begun(run: &Run) -> bool {
    run.done > 0 || run.stage != Stage::Running || run.cells.iter().any(|cell| cell.measured_at_ms.is_some())
}

/// A path of the API with the run's id in it.
pub fn path(template: &str, id: &str) -> String {
    template.replace("{id}", &paths::query_value(id))
}

#[cfg(test)]
mod tests {
    use api_types::lab::{Bench, Cell, Place, Strategy, Threat, Verdict};

    use super::*;

    #[test]
    fn a_run_has_begun_with_its_first_sign_of_life() {
        let silent = Run {
            id: "a1".into(),
            bench: Bench::Storage,
            started_at_ms: 0,
            browser: String::new(),
            database: String::new(),
            without: None,
            stage: Stage::Running,
            done: 0,
            steps: 61,
            doing: String::new(),
            cells: vec![Cell {
                place: Place::Storage {
                    strategy: Strategy::Memory,
                    threat: Threat::Reload,
                },
                verdict: Verdict::NotMeasured,
                because: String::new(),
                measured_at_ms: None,
            }],
        };
        assert!(!has_begun(&silent));
        let mut seen = silent.clone();
        seen.cells[0].measured_at_ms = Some(1);
        assert!(has_begun(&seen));
        let mut waiting = silent.clone();
        waiting.stage = Stage::WantsSecondTab;
        assert!(has_begun(&waiting));
        assert!(has_begun(&Run { done: 1, ..silent }));
    }

    #[test]
    fn an_id_from_the_address_stays_one_segment() {
        assert_eq!(path(paths::LAB_REPORT, "a1"), "/api/lab/runs/a1/report");
        assert_eq!(path(paths::LAB_RUN, "../../me?"), "/api/lab/runs/..%2F..%2Fme%3F");
    }
}
