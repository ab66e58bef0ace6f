//! What the lab's hosts and its part of the API share.

use std::{fmt, sync::Arc};

use lab_types::{NewRun, Strategy, live::Design};
use tokio_util::sync::CancellationToken;
use web::{
    AppState,
    config::{LabSites, Origin},
    random::Random,
};

use crate::{
    accounts::RunAccounts,
    live::{self, ActionError, Simulation, Simulations},
    naive_tokens::NaiveTokens,
    product::{Product, ProductError},
    registry::Registry,
    run::{self, Run, Runs},
    stream_limit::StreamLimiter,
};

/// The maximum number of sign-ins at the product per run. None of our runs needs more.
const MAX_SIGN_INS: u32 = 20;

/// Everything that the lab's hosts and its part of the API use.
pub struct Lab {
    pub sites: LabSites,
    /// The site whose page shows the matrix.
    pub home: Origin,
    pub runs: Runs,
    pub simulations: Simulations,
    pub naive: NaiveTokens,
    pub streams: StreamLimiter,
    /// The second instance of the product.
    pub product: Product,
    closing: CancellationToken,
}

/// Why a run or a simulation could not be started.
#[derive(Debug, thiserror::Error)]
pub enum NewRunError {
    #[error("so many runs were started within the last minute")]
    TooMany,
    #[error("the throw-away account could not be made: {0}")]
    Product(#[from] ProductError),
    #[error("the simulation could not be started: {0}")]
    Simulation(#[from] ActionError),
}

impl Lab {
    /// `app` is an instance of the product with a separate database, for the origin of the victim.
    pub fn new(sites: LabSites, home: Origin, app: AppState, random: Arc<dyn Random>) -> Self {
        let clock = Arc::clone(&app.clock);
        Self {
            runs: Registry::new(Arc::clone(&clock), run::LIMITS),
            simulations: Registry::new(Arc::clone(&clock), live::LIMITS),
            naive: NaiveTokens::new(clock, Arc::clone(&random)),
            streams: StreamLimiter::default(),
            product: Product::new(app, sites.victim.clone(), random),
            sites,
            home,
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

    /// An unguessable id.
    pub fn new_id(&self) -> String {
        self.product.random.name()
    }

    /// Starts a run, with new accounts.
    ///
    /// # Errors
    /// If too many were started, or the accounts cannot be created.
    pub async fn start_run(&self, new: NewRun, user_agent: &str) -> Result<Arc<Run>, NewRunError> {
        if !self.runs.try_reserve() {
            return Err(NewRunError::TooMany);
        }
        let id = self.new_id();
        let accounts = RunAccounts::new(id.clone(), &*self.product.random);
        for account in [
            accounts.victim(Strategy::Keyturn),
            accounts.attacker(Strategy::Keyturn),
        ] {
            self.product.register(&account).await?;
        }
        let app = &self.product.app;
        let database = if app.store.is_sqlite() {
            "SQLite"
        } else {
            "PostgreSQL"
        };
        let run = Run::new(id, new, user_agent, database, accounts, Arc::clone(&app.clock));
        Ok(self.runs.add(run))
    }

    /// Starts a simulation, with a new account.
    ///
    /// # Errors
    /// If too many were started, or the account cannot be created.
    pub async fn start_simulation(&self, design: Design) -> Result<Arc<Simulation>, NewRunError> {
        if !self.simulations.try_reserve() {
            return Err(NewRunError::TooMany);
        }
        let simulation = Simulation::start(&self.product, design).await?;
        Ok(self.simulations.add(simulation))
    }

    /// Signs the run's visitor in at the lab's product, as the runner's page would, and returns the cookies that it sets.
    ///
    /// # Errors
    /// If the product refuses, or this run has signed in too often.
    pub async fn sign_in_at_product(&self, run: &Run) -> Result<Vec<String>, ProductError> {
        let sign_ins = run.with_state(|state| {
            state.sign_ins += 1;
            state.sign_ins
        });
        if sign_ins > MAX_SIGN_INS {
            return Err(ProductError::TooManySignIns);
        }
        self.product
            .sign_in(&run.accounts.victim(Strategy::Keyturn))
            .await
    }
}

impl fmt::Debug for Lab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lab")
            .field("sites", &self.sites)
            .finish_non_exhaustive()
    }
}
