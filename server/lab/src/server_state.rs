//! What the servers under attack remember about one run. It is dropped with the run.

use std::collections::{HashMap, HashSet};

use lab_types::CellId;

use crate::race_session::RaceSession;

#[derive(Debug, Default)]
pub struct ServerState {
    /// Ids of refresh tokens that the naive server no longer accepts.
    pub blacklist: HashSet<String>,
    /// Sessions of the naive server: id and user.
    pub sessions: HashMap<String, String>,
    /// Refresh cookies that were used, for runs without the product's reuse detection.
    pub spent: HashSet<String>,
    /// The sessions of the race experiment.
    pub races: HashMap<CellId, RaceSession>,
    /// How many times the run has signed in at the product.
    pub sign_ins: u32,
    /// The cells whose response was dropped already.
    pub dropped: HashSet<CellId>,
    /// The tokens that the thief got, for each cell.
    pub stolen: HashMap<CellId, StolenTokens>,
}

/// Copies of the visitor's tokens, however the thief got them.
#[derive(Debug, Clone, Default)]
pub struct StolenTokens {
    pub access: Option<String>,
    pub refresh: Option<String>,
}
