//! Live simulations: an owner, a thief and one session, and the family tree of its tokens.
//!
//! With the lab's own product nothing is simulated. Every action is a request, through the product's router, with its
//! guards, its rotation and its tables; only the network is left out. After each action the tables are read, and
//! [`tree`] derives the state of every token from the responses and the rows. The other designs are there for
//! comparison: each is a [`model`], the same that the simulator runs. Time runs normally: to see the grace period end,
//! the visitor has to wait for it.
//!
//! - [`state`] what has happened so far, and what happens next
//! - [`issuer`] the issuer of the tokens: the product, or a [`model`]
//! - [`client`] the clients' tokens, and their requests to the product
//! - [`tree`] the tokens and their states, from the responses and the rows; [`description`] describes them

mod client;
mod description;
mod issuer;
mod model;
mod state;
mod tree;

use std::{fmt, time::Duration};

use lab_types::live::{Design, SimulationAction, SimulationSnapshot};
use rotation::Timestamp;
use tokio::sync::{Mutex, watch};

use crate::{
    accounts::Credentials,
    product::Product,
    registry::{LIFETIME_MS, Registry, RegistryEntry, RegistryLimits, millis},
};
pub use issuer::ActionError;
use state::SimulationState;

/// A simulation with the product creates an account, which costs password hashing; a run creates two.
pub const LIMITS: RegistryLimits = RegistryLimits {
    capacity: 32,
    per_minute: 24,
};

/// How many may watch a simulation at the same time: each keeps a connection to the site.
const WATCHERS: usize = 16;

/// All simulations.
pub type Simulations = Registry<Simulation>;

/// One simulation.
pub struct Simulation {
    pub id: String,
    started_at_ms: u64,
    /// One action at a time: what is read after an action belongs to it.
    state: Mutex<SimulationState>,
    snapshot: watch::Sender<SimulationSnapshot>,
}

impl RegistryEntry for Simulation {
    fn id(&self) -> &str {
        &self.id
    }

    fn started_at_ms(&self) -> u64 {
        self.started_at_ms
    }

    fn used_at_ms(&self) -> u64 {
        self.snapshot.borrow().done.last().map_or(0, |done| done.at_ms)
    }
}

impl Simulation {
    /// Starts with a new account that is signed in and has used its first access token.
    ///
    /// # Errors
    /// If the account cannot be created.
    pub async fn start(product: &Product, design: Design) -> Result<Self, ActionError> {
        let id = product.random.name();
        let owner = Credentials::generate(&id, &*product.random);
        let state = SimulationState::open(product, id.clone(), design, &owner).await?;
        let snapshot = state.snapshot(product).await?;
        Ok(Self {
            id,
            started_at_ms: snapshot.started_at_ms,
            state: Mutex::new(state),
            snapshot: watch::Sender::new(snapshot),
        })
    }

    /// The current state of the simulation.
    pub fn snapshot(&self) -> SimulationSnapshot {
        self.snapshot.borrow().clone()
    }

    /// Follows the simulation; `None` if too many watch it already.
    pub fn follow(&self) -> Option<watch::Receiver<SimulationSnapshot>> {
        (self.snapshot.receiver_count() < WATCHERS).then(|| self.snapshot.subscribe())
    }

    /// How long the simulation is still kept.
    pub fn time_left(&self, now: Timestamp) -> Duration {
        Duration::from_millis((self.started_at_ms + LIFETIME_MS).saturating_sub(millis(now)))
    }

    /// Performs an action, and notifies all followers of the result.
    ///
    /// # Errors
    /// If there is no such token, the simulation has had all its actions, or its tables cannot be read.
    pub async fn perform(
        &self,
        product: &Product,
        action: SimulationAction,
    ) -> Result<SimulationSnapshot, ActionError> {
        let mut state = self.state.lock().await;
        state.perform(product, action).await?;
        let snapshot = state.snapshot(product).await?;
        self.snapshot.send_replace(snapshot.clone());
        Ok(snapshot)
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
