//! The lab: the storage tradeoffs, measured by real attacks in the visitor's own browser.
//!
//! A victim's site and an attacker's site, each on a listener and a host of its own; the attacker has a host below the
//! victim's, too. On the victim's host stands this very product, a second time, with a database, keys, audience and cookie of its own ([`Lab::ours`]); and
//! a small one as tutorials write it ([`tutorial`]), for the strategies that we do not recommend. A runner, which is one
//! page on that host, signs throw-away accounts in and is attacked. Everything that the victim's server receives is
//! written down, with what the pages and the attack's scripts say of themselves, and verdicts are computed from that.
//!
//! # Layout
//! - [`plan`] the steps of a run; [`runs`] the runs and their evidence; [`verdict`] from evidence to verdict
//! - [`shelf`] how many runs and plays are remembered, and for how long
//! - [`victim`] the victim's host: the runner's pages, the tutorial's server, the product; [`recorder`] what it receives
//! - [`guarded`] doors of that host with a guard each, for forged requests; [`vulnerable`] its page with holes, for scripts; [`race`]
//!   servers that are more or less prepared for refreshes that meet
//! - [`api`] the lab's part of the site's API
//! - [`attacker`] the attacker's hosts: scripts, forms, and the server that tries out what was stolen
//! - [`watching`] how many event streams one visitor may have open
//! - [`live`] plays with the product: an owner, a thief, and the family tree of one session
//! - [`weakened`] the product without one of its defences, to see what that was good for
//! - `assets` what browsers load: the runner, a client for each strategy, the attacks
//!
//! # Invariants
//! - Nothing here knows the real site's store, keys or cookie: it is given its own, and the two sites share no state. What
//!   happens here counts into no metric.
//! - No verdict is looked up. Without evidence a cell says that it was not measured.
//! - Runs and plays live in memory, a bounded number of them, of a bounded size, for a bounded time.

pub mod api;
pub mod attacker;
pub mod guarded;
pub mod live;
pub mod plan;
pub mod race;
pub mod recorder;
pub mod runs;
pub mod shelf;
pub mod tutorial;
pub mod verdict;
pub mod victim;
pub mod vulnerable;
pub mod watching;
pub mod weakened;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::StatusCode,
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use lab_types::{NewRun, Strategy};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use live::Plays;
use runs::{People, Run, Runs};
use tutorial::Tutorial;
use watching::Streams;
use web::{
    AppState,
    config::{LabSites, Origin},
    middleware::host::is_for,
    random::Random,
    routes,
    telemetry::uncounted,
};

/// How long the lab's own product forgives a refresh token that is used twice. Shorter than the 10 seconds of the real
/// one, so that a run need not wait so long for what comes after.
pub const GRACE: Duration = Duration::from_secs(2);

/// The name of the product's refresh cookie on the victim's host.
pub const PRODUCT_COOKIE: &str = "__Host-lab-refresh";

/// Everything that the lab's hosts and its part of the API can reach.
pub struct Lab {
    pub sites: LabSites,
    /// The site whose page shows the matrix.
    pub home: Origin,
    pub runs: Runs,
    pub plays: Plays,
    pub tutorial: Tutorial,
    pub streams: Streams,
    /// The product, a second time.
    pub ours: AppState,
    random: Arc<dyn Random>,
    product: Router,
    closing: CancellationToken,
}

/// What a host of the lab answers to, and for how long it takes a request.
#[derive(Clone)]
struct Door {
    origins: Vec<Origin>,
    patience: Duration,
}

/// Why there is no run.
#[derive(Debug, thiserror::Error)]
pub enum NoRun {
    #[error("so many runs were started within the last minute")]
    TooMany,
    #[error("the throw-away account could not be made: {0}")]
    NoAccount(String),
}

impl Lab {
    /// `ours` is an instance of the product with a database of its own, for the origin of the victim.
    pub fn new(sites: LabSites, home: Origin, ours: AppState, random: Arc<dyn Random>) -> Self {
        let clock = Arc::clone(&ours.clock);
        Self {
            product: routes::api_router(ours.clone(), victim::transfer()).layer(from_fn(
                async |request, next: Next| uncounted(next.run(request)).await,
            )),
            runs: runs::runs(Arc::clone(&clock)),
            plays: live::plays(Arc::clone(&clock)),
            tutorial: Tutorial::new(clock, Arc::clone(&random)),
            streams: Streams::default(),
            sites,
            home,
            ours,
            random,
            closing: CancellationToken::new(),
        }
    }

    /// Ends the streams of events, which would go on as long as somebody watches.
    pub fn close(&self) {
        self.closing.cancel();
    }

    /// Completes when the lab is closing.
    pub async fn closed(&self) {
        self.closing.cancelled().await;
    }

    /// What all hosts ask of every request: to be meant for them, to be small, and to come to an end. Under another name
    /// of this machine the browser would send the cookies of the site itself.
    fn behind_its_door(&self, host: Router, origins: &[&Origin]) -> Router {
        let door = Door {
            origins: origins.iter().copied().cloned().collect(),
            patience: self.ours.config.http.request_timeout,
        };
        host.layer(DefaultBodyLimit::max(recorder::BODY))
            .layer(from_fn_with_state(door, keep_door))
    }

    /// Begins a run, with accounts that nobody else has.
    ///
    /// # Errors
    /// If too many were begun, or the accounts cannot be made.
    pub async fn begin(&self, new: NewRun, user_agent: &str) -> Result<Arc<Run>, NoRun> {
        if !self.runs.may_begin() {
            return Err(NoRun::TooMany);
        }
        let people = People::new(&*self.random);
        for person in [
            people.victim(Strategy::Keyturn),
            people.attacker(Strategy::Keyturn),
        ] {
            victim::register(&self.product, &self.sites, &person)
                .await
                .map_err(NoRun::NoAccount)?;
        }
        let database = if self.ours.store.is_sqlite() {
            "SQLite"
        } else {
            "PostgreSQL"
        };
        let run = Run::new(new, user_agent, database, people, self.runs.now_ms());
        Ok(self.runs.add(run))
    }
}

async fn keep_door(State(door): State<Door>, request: Request, next: Next) -> Response {
    let names = |origin: &Origin| is_for(request.headers(), request.uri(), origin);
    if !door.origins.iter().any(names) {
        return StatusCode::MISDIRECTED_REQUEST.into_response();
    }
    match timeout(door.patience, next.run(request)).await {
        Ok(response) => response,
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

impl std::fmt::Debug for Lab {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lab")
            .field("sites", &self.sites)
            .finish_non_exhaustive()
    }
}
