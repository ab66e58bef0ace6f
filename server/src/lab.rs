//! The lab: the storage tradeoffs, measured by real attacks in the visitor's own browser.
//!
//! A victim's site and an attacker's site, each on a listener and a host of its own. On the victim's host stand two
//! servers: this very product, a second time, with a database, keys, audience and cookie of its own ([`Lab::ours`]); and
//! a small one as tutorials write it ([`tutorial`]), for the strategies that we do not recommend. A runner, which is one
//! page on that host, signs throw-away accounts in and is attacked; everything that the victim's server receives is
//! written down, and verdicts are computed from that alone.
//!
//! # Layout
//! - [`plan`] the steps of a run; [`runs`] the runs and their evidence; [`verdict`] from evidence to verdict
//! - [`victim`] the victim's host: the runner's pages, the tutorial's server, the product; [`recorder`] what it receives
//! - [`attacker`] the attacker's host: scripts, forms, and the server that tries out what was stolen
//! - [`weakened`] the product without one of its defences, to see what that was good for
//! - `assets` what browsers load: the runner, a client for each strategy, the attacks
//!
//! # Invariants
//! - Nothing here knows the real site's store, keys or cookie: it is given its own, and the two sites share no state.
//! - No verdict is looked up. Without evidence a cell says that it was not measured.
//! - Runs live in memory, a bounded number of them for a bounded time.

pub mod attacker;
pub mod plan;
pub mod recorder;
pub mod runs;
pub mod tutorial;
pub mod verdict;
pub mod victim;
pub mod weakened;

use std::sync::Arc;

use api_types::lab::{Defence, Strategy};
use axum::Router;

use crate::{
    AppState,
    config::{LabSites, Origin},
    random::Random,
    routes,
};
use runs::{People, Run, Runs};
use tutorial::Tutorial;

/// How long the lab's own product forgives a refresh token that is used twice. Shorter than the 10 seconds of the real
/// one, so that a run need not wait so long for what comes after.
pub const GRACE: std::time::Duration = std::time::Duration::from_secs(2);

/// Everything that the lab's two hosts and its part of the API can reach.
pub struct Lab {
    pub sites: LabSites,
    /// The site whose page shows the matrix.
    pub home: Origin,
    pub runs: Runs,
    pub tutorial: Tutorial,
    /// The product, a second time.
    pub ours: AppState,
    random: Arc<dyn Random>,
    product: Router,
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
            product: routes::api_router(ours.clone(), victim::transfer()),
            runs: Runs::new(Arc::clone(&clock)),
            tutorial: Tutorial::new(clock, Arc::clone(&random)),
            sites,
            home,
            ours,
            random,
        }
    }

    /// Begins a run, with accounts that nobody else has.
    ///
    /// # Errors
    /// If too many were begun, or the accounts cannot be made.
    pub async fn begin(&self, without: Option<Defence>, user_agent: &str) -> Result<Arc<Run>, NoRun> {
        let people = People::new(&*self.random);
        let id = people.run_id().to_owned();
        let run = self
            .runs
            .add(Run::new(id, without, user_agent, people, self.runs.now_ms()))
            .ok_or(NoRun::TooMany)?;
        for person in [
            run.people.victim(Strategy::Keyturn),
            run.people.attacker(Strategy::Keyturn),
        ] {
            victim::register(&self.product, &self.sites, &person)
                .await
                .map_err(NoRun::NoAccount)?;
        }
        Ok(run)
    }
}

impl std::fmt::Debug for Lab {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lab")
            .field("sites", &self.sites)
            .finish_non_exhaustive()
    }
}
