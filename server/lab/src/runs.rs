//! The stored runs and their evidence.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use lab_types::{
    Bench, Cell, CellEvidence, Crowd, Defence, Evidence, NewRun, Place, Report, Run as Seen, Stage, Strategy,
};
use rotation::Clock;
use serde::Serialize;
use tokio::sync::watch;
use web::{accounts::device, random::Random};

use super::{
    attacker, plan,
    race::Family,
    shelf::{Bounds, Kept, Shelf},
    verdict,
};

/// Each run creates accounts, which costs password hashing.
const BOUNDS: Bounds = Bounds {
    remembered: 16,
    a_minute: 12,
};
/// More pieces of evidence than any of our steps produces.
const EVIDENCE: usize = 128;
/// Several times the bytes of evidence that any of our runs produces.
const EVIDENCE_BYTES: usize = 4 * 1024 * 1024;

/// All runs.
pub type Runs = Shelf<Run>;

/// One run.
#[derive(Debug)]
pub struct Run {
    pub id: String,
    pub started_at_ms: u64,
    pub browser: String,
    pub database: &'static str,
    pub bench: Bench,
    pub without: Option<Defence>,
    crowd: Crowd,
    pub people: People,
    notes: Mutex<Notes>,
    changed: watch::Sender<()>,
}

#[derive(Debug)]
struct Notes {
    at: usize,
    stage: Stage,
    second_tab_is_over: bool,
    evidence: BTreeMap<Place, Vec<Evidence>>,
    bytes: usize,
    tables: Tables,
}

/// The state of the servers of this run. It is dropped with the run.
#[derive(Debug, Default)]
pub struct Tables {
    /// Ids of refresh tokens that the tutorial's server no longer accepts.
    pub blacklist: HashSet<String>,
    /// Sessions of the tutorial's server: id and user.
    pub sessions: HashMap<String, String>,
    /// Refresh cookies that were used, for runs without the product's reuse detection.
    pub spent: HashSet<String>,
    /// The sessions of the race experiment.
    pub families: HashMap<Place, Family>,
    /// How many times the run has signed in at the product.
    pub log_ins: u32,
    /// The cells whose response was dropped already.
    pub lost: HashSet<Place>,
    /// The copies that the thief got, for each cell.
    pub stolen: HashMap<Place, attacker::Copies>,
}

/// The accounts of a run: a victim for each strategy, and an attacker with a separate account.
#[derive(Debug)]
pub struct People {
    run: String,
    password: String,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    pub email: String,
    pub password: String,
}

impl People {
    pub fn new(random: &dyn Random) -> Self {
        Self {
            run: random.name(),
            password: BASE64_URL_SAFE_NO_PAD.encode(random.bytes::<18>()),
        }
    }

    pub fn victim(&self, strategy: Strategy) -> Person {
        self.person("ada", strategy)
    }

    pub fn attacker(&self, strategy: Strategy) -> Person {
        self.person("mallory", strategy)
    }

    fn person(&self, name: &str, strategy: Strategy) -> Person {
        Person {
            email: format!("{name}@{}.{}.example", strategy.slug(), self.run),
            password: self.password.clone(),
        }
    }

    /// The person with this address and password, among the accounts of the tutorial's server.
    pub fn check(&self, strategy: Strategy, email: &str, password: &str) -> Option<Person> {
        [self.victim(strategy), self.attacker(strategy)]
            .into_iter()
            .find(|person| person.email == email && person.password == password)
    }
}

pub fn runs(clock: Arc<dyn Clock>) -> Runs {
    Shelf::new(clock, BOUNDS)
}

impl Kept for Run {
    fn id(&self) -> &str {
        &self.id
    }

    fn started_at_ms(&self) -> u64 {
        self.started_at_ms
    }
}

impl Run {
    pub fn new(new: NewRun, user_agent: &str, database: &'static str, people: People, now_ms: u64) -> Self {
        Self {
            id: people.run.clone(),
            started_at_ms: now_ms,
            browser: device::name_and_version_of(user_agent),
            database,
            bench: new.bench,
            without: new.without,
            crowd: new.crowd,
            people,
            notes: Mutex::new(Notes {
                at: 0,
                stage: Stage::Running,
                second_tab_is_over: false,
                evidence: BTreeMap::new(),
                bytes: 0,
                tables: Tables::default(),
            }),
            changed: watch::Sender::new(()),
        }
    }

    /// Notifies of every change.
    pub fn follow(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Whether there is no room for another piece of evidence. Then a request is refused before it is forwarded: a
    /// request that is answered but not recorded would falsify the evidence.
    pub fn is_full(&self, cell: Place) -> bool {
        let notes = lock(&self.notes);
        notes.bytes >= EVIDENCE_BYTES
            || notes
                .evidence
                .get(&cell)
                .is_some_and(|so_far| so_far.len() >= EVIDENCE)
    }

    pub fn note(&self, cell: Place, evidence: Evidence) {
        if self.is_full(cell) {
            return;
        }
        {
            let mut notes = lock(&self.notes);
            notes.bytes += serde_json::to_vec(&evidence).map_or(0, |text| text.len());
            notes.evidence.entry(cell).or_default().push(evidence);
        }
        self.changed.send_replace(());
    }

    pub fn evidence(&self, cell: Place) -> Vec<Evidence> {
        lock(&self.notes).evidence.get(&cell).cloned().unwrap_or_default()
    }

    /// Accesses the state of this run's servers.
    pub fn tables<T>(&self, work: impl FnOnce(&mut Tables) -> T) -> T {
        work(&mut lock(&self.notes).tables)
    }

    /// Records that the runner is at this step. If it waited for the other tab, the wait has ended.
    pub fn go_to(&self, at: usize) {
        {
            let mut notes = lock(&self.notes);
            notes.at = at;
            if notes.stage == Stage::WantsSecondTab {
                notes.stage = Stage::Running;
            }
        }
        self.changed.send_replace(());
    }

    pub fn ask_for_second_tab(&self) {
        lock(&self.notes).stage = Stage::WantsSecondTab;
        self.changed.send_replace(());
    }

    pub fn wants_second_tab(&self) -> bool {
        lock(&self.notes).stage == Stage::WantsSecondTab
    }

    pub fn second_tab_is_over(&self) -> bool {
        lock(&self.notes).second_tab_is_over
    }

    pub fn end_second_tab(&self) {
        {
            let mut notes = lock(&self.notes);
            notes.second_tab_is_over = true;
            notes.stage = Stage::Running;
        }
        self.changed.send_replace(());
    }

    pub fn finish(&self) {
        {
            let mut notes = lock(&self.notes);
            notes.stage = Stage::Finished;
            notes.at = self.steps().len();
        }
        self.changed.send_replace(());
    }

    /// The run as the matrix shows it.
    pub fn seen(&self) -> Seen {
        let notes = lock(&self.notes);
        let cells = self
            .places()
            .map(|id| judged(id, notes.evidence.get(&id).map_or(&[], Vec::as_slice)));
        let steps = self.steps();
        let count = |steps: usize| u32::try_from(steps).unwrap_or(u32::MAX);
        Seen {
            id: self.id.clone(),
            bench: self.bench,
            started_at_ms: self.started_at_ms,
            browser: self.browser.clone(),
            database: self.database.into(),
            without: self.without,
            crowd: self.crowd(),
            stage: notes.stage,
            done: count(notes.at),
            steps: count(steps.len()),
            doing: plan::doing(steps.get(notes.at)),
            cells: cells.collect(),
        }
    }

    /// One cell with all its evidence.
    pub fn cell(&self, id: Place) -> CellEvidence {
        let evidence = self.evidence(id);
        CellEvidence {
            cell: judged(id, &evidence),
            hypothesis: verdict::hypothesis(id, self.crowd),
            tally: verdict::tally(id, &evidence),
            attack: attacker::code(id),
            evidence,
        }
    }

    pub fn report(&self) -> Report {
        Report {
            id: self.id.clone(),
            bench: self.bench,
            started_at_ms: self.started_at_ms,
            browser: self.browser.clone(),
            database: self.database.into(),
            without: self.without,
            crowd: self.crowd(),
            rows: self.places().map(|place| self.cell(place)).collect(),
        }
    }

    /// The steps of the runner.
    pub fn steps(&self) -> Vec<plan::Step> {
        plan::steps(self.bench, self.crowd)
    }

    /// The number of concurrent refreshes, for a race experiment.
    fn crowd(&self) -> Option<Crowd> {
        (self.bench == Bench::Races).then_some(self.crowd)
    }

    /// The cells, row by row.
    fn places(&self) -> impl Iterator<Item = Place> {
        self.bench.rows().into_iter().flatten()
    }
}

fn judged(place: Place, evidence: &[Evidence]) -> Cell {
    let (verdict, because) = verdict::judge(place, evidence);
    Cell {
        place,
        verdict,
        because,
        measured_at_ms: evidence.last().map(Evidence::at_ms),
    }
}

/// A panic in another request must not disable the lab.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
