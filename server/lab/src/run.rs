//! One run: its settings, its progress, its evidence, and the state of its servers.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

use lab_types::{
    CellId, Concurrency, Defence, Evidence, Experiment, NewRun, NotedEvent, Participant, RunStatus,
    StolenValue,
};
use rotation::Clock;
use tokio::sync::watch;
use web::accounts::device;

use crate::{
    accounts::RunAccounts,
    lock::lock,
    plan::{self, RunnerStep},
    registry::{Registry, RegistryEntry, RegistryLimits, millis},
    server_state::ServerState,
};

/// Each run creates accounts, which costs password hashing.
pub const LIMITS: RegistryLimits = RegistryLimits {
    capacity: 16,
    per_minute: 12,
};
/// More pieces of evidence than any of our steps produces.
const MAX_EVIDENCE: usize = 128;
/// Several times the bytes of evidence that any of our runs produces.
const MAX_EVIDENCE_BYTES: usize = 4 * 1024 * 1024;

/// All runs.
pub type Runs = Registry<Run>;

/// One run.
pub struct Run {
    pub id: String,
    pub started_at_ms: u64,
    pub browser: String,
    pub database: &'static str,
    pub experiment: Experiment,
    pub without: Option<Defence>,
    pub concurrency: Concurrency,
    pub accounts: RunAccounts,
    clock: Arc<dyn Clock>,
    progress: Mutex<RunProgress>,
    servers: Mutex<ServerState>,
    changed: watch::Sender<()>,
}

/// How far a run is, and what it has measured.
#[derive(Debug)]
pub struct RunProgress {
    pub step: usize,
    pub status: RunStatus,
    pub second_tab_is_done: bool,
    evidence: BTreeMap<CellId, Vec<Evidence>>,
    bytes: usize,
}

impl RegistryEntry for Run {
    fn id(&self) -> &str {
        &self.id
    }

    fn started_at_ms(&self) -> u64 {
        self.started_at_ms
    }
}

impl Run {
    pub fn new(
        id: String,
        new: NewRun,
        user_agent: &str,
        database: &'static str,
        accounts: RunAccounts,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            id,
            started_at_ms: millis(clock.now()),
            browser: device::name_and_version_of(user_agent),
            database,
            experiment: new.experiment,
            without: new.without,
            concurrency: new.concurrency,
            accounts,
            clock,
            progress: Mutex::new(RunProgress {
                step: 0,
                status: RunStatus::Running,
                second_tab_is_done: false,
                evidence: BTreeMap::new(),
                bytes: 0,
            }),
            servers: Mutex::default(),
            changed: watch::Sender::new(()),
        }
    }

    pub fn now_ms(&self) -> u64 {
        millis(self.clock.now())
    }

    /// The steps of the runner.
    pub fn steps(&self) -> Vec<RunnerStep> {
        plan::steps(self.experiment, self.concurrency)
    }

    /// Notifies of every change.
    pub fn follow(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Reads the progress, while nothing else changes it.
    pub fn read<T>(&self, work: impl FnOnce(&RunProgress) -> T) -> T {
        work(&lock(&self.progress))
    }

    fn change(&self, work: impl FnOnce(&mut RunProgress)) {
        work(&mut lock(&self.progress));
        self.changed.send_replace(());
    }

    /// Accesses the state of this run's servers.
    pub fn with_state<T>(&self, work: impl FnOnce(&mut ServerState) -> T) -> T {
        work(&mut lock(&self.servers))
    }

    /// Whether there is no room for another piece of evidence. Then a request is refused before it is forwarded: a
    /// request that is answered but not recorded would falsify the evidence.
    pub fn is_full(&self, cell: CellId) -> bool {
        self.read(|progress| progress.is_full(cell))
    }

    /// Records a piece of evidence, if there is room for it.
    pub fn record(&self, cell: CellId, evidence: Evidence) {
        self.change(|progress| {
            if !progress.is_full(cell) {
                progress.bytes += serde_json::to_vec(&evidence).map_or(0, |text| text.len());
                progress.evidence.entry(cell).or_default().push(evidence);
            }
        });
    }

    /// Records what the attack's script sent to the attacker's server.
    pub fn record_loot(&self, cell: CellId, found: Vec<StolenValue>) {
        let at_ms = self.now_ms();
        self.record(cell, Evidence::Loot { at_ms, found });
    }

    /// Records a note of the lab or of its attacker.
    pub fn note(&self, cell: CellId, who: Participant, event: Option<NotedEvent>, text: &str) {
        let note = Evidence::Note {
            at_ms: self.now_ms(),
            who,
            text: text.to_owned(),
            event,
        };
        self.record(cell, note);
    }

    pub fn evidence(&self, cell: CellId) -> Vec<Evidence> {
        self.read(|progress| progress.evidence(cell).to_owned())
    }

    /// Records that the runner is at this step. If it waited for the other tab, the wait has ended.
    pub fn set_step(&self, step: usize) {
        self.change(|progress| {
            progress.step = step;
            if progress.status == RunStatus::WantsSecondTab {
                progress.status = RunStatus::Running;
            }
        });
    }

    pub fn request_second_tab(&self) {
        self.change(|progress| progress.status = RunStatus::WantsSecondTab);
    }

    pub fn end_second_tab(&self) {
        self.change(|progress| {
            progress.second_tab_is_done = true;
            progress.status = RunStatus::Running;
        });
    }

    pub fn finish(&self) {
        let steps = self.steps().len();
        self.change(|progress| {
            progress.status = RunStatus::Finished;
            progress.step = steps;
        });
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl RunProgress {
    /// The evidence of a cell, oldest first.
    pub fn evidence(&self, cell: CellId) -> &[Evidence] {
        self.evidence.get(&cell).map_or(&[], Vec::as_slice)
    }

    fn is_full(&self, cell: CellId) -> bool {
        self.bytes >= MAX_EVIDENCE_BYTES || self.evidence(cell).len() >= MAX_EVIDENCE
    }
}
