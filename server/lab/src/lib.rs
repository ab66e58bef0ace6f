#![doc = include_str!("../README.md")]

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
    telemetry::without_metrics,
};

/// The grace period of the lab's product. Shorter than the real product's 10 seconds, so that a run need not wait so
/// long for the next step.
pub const GRACE: Duration = Duration::from_secs(2);

/// The name of the product's refresh cookie on the victim's host.
pub const PRODUCT_COOKIE: &str = "__Host-lab-refresh";

/// Everything that the lab's hosts and its part of the API use.
pub struct Lab {
    pub sites: LabSites,
    /// The site whose page shows the matrix.
    pub home: Origin,
    pub runs: Runs,
    pub plays: Plays,
    pub tutorial: Tutorial,
    pub streams: Streams,
    /// The second instance of the product.
    pub ours: AppState,
    random: Arc<dyn Random>,
    product: Router,
    closing: CancellationToken,
}

/// The names of a lab host, and the time limit of its requests.
#[derive(Clone)]
struct Door {
    origins: Vec<Origin>,
    patience: Duration,
}

/// Why a run could not be started.
#[derive(Debug, thiserror::Error)]
pub enum NoRun {
    #[error("so many runs were started within the last minute")]
    TooMany,
    #[error("the throw-away account could not be made: {0}")]
    NoAccount(String),
}

impl Lab {
    /// `ours` is an instance of the product with a separate database, for the origin of the victim.
    pub fn new(sites: LabSites, home: Origin, ours: AppState, random: Arc<dyn Random>) -> Self {
        let clock = Arc::clone(&ours.clock);
        Self {
            product: routes::api_router(ours.clone(), victim::transfer()).layer(from_fn(
                async |request, next: Next| without_metrics(next.run(request)).await,
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

    /// Ends the event streams, which would otherwise continue as long as a page is watching.
    pub fn close(&self) {
        self.closing.cancel();
    }

    /// Completes when the lab is closing.
    pub async fn closed(&self) {
        self.closing.cancelled().await;
    }

    /// Checks for every request on a lab host: the right host, a bounded size and a bounded time. Under another name of
    /// this machine the browser would send the cookies of the site itself.
    fn behind_its_door(&self, host: Router, origins: &[&Origin]) -> Router {
        let door = Door {
            origins: origins.iter().copied().cloned().collect(),
            patience: self.ours.config.http.request_timeout,
        };
        host.layer(DefaultBodyLimit::max(recorder::BODY))
            .layer(from_fn_with_state(door, keep_door))
    }

    /// Begins a run, with new accounts.
    ///
    /// # Errors
    /// If too many were started, or the accounts cannot be created.
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
