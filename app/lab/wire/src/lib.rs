#![doc = include_str!("../README.md")]

#[macro_use]
mod names;
pub mod cell_id;
pub mod concurrency;
pub mod experiments;
pub mod labels;
pub mod live;
pub mod paths;

use serde::{Deserialize, Serialize};

pub use cell_id::{CellId, UnknownCell};
pub use concurrency::Concurrency;
pub use experiments::{
    ContentPolicy, CsrfDefence, Experiment, Injection, RaceDefence, RaceScenario, RequestSource, Strategy,
    Threat, Vector,
};

names! {
    /// The conclusion from a cell's evidence.
    CellVerdict {
        /// The attack ran and gained nothing.
        Safe = "safe",
        /// The attack reached its goal.
        Exposed = "exposed",
        /// The session still existed afterwards.
        Survives = "survives",
        /// The session no longer existed afterwards.
        Lost = "lost",
        /// There is no evidence; the cell gives the reason.
        NotMeasured = "not-measured",
    }
}

names! {
    /// A defence of Keyturn that a run can disable, to measure its effect (ablation).
    Defence {
        /// The `HttpOnly` attribute of the refresh cookie.
        HttpOnly = "http-only",
        /// The rejection of cross-site requests, `SameSite`, and the custom header.
        CrossSite = "cross-site",
        /// Revocation of access tokens at sign-out.
        Revocation = "revocation",
        /// Revocation of the session when a refresh token is reused.
        ReuseDetection = "reuse-detection",
    }
}

/// A run, without its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSnapshot {
    pub id: String,
    #[serde(rename = "bench")]
    pub experiment: Experiment,
    pub started_at_ms: u64,
    /// The browser of the run, by its `User-Agent`.
    pub browser: String,
    /// The database in which the measured product stores its sessions.
    pub database: String,
    /// The disabled defence, if any.
    pub without: Option<Defence>,
    /// How many refreshes run concurrently, where that is measured.
    #[serde(rename = "crowd")]
    pub concurrency: Option<Concurrency>,
    #[serde(rename = "stage")]
    pub status: RunStatus,
    /// Number of completed steps, out of `steps`.
    pub done: u32,
    pub steps: u32,
    /// What the runner is doing, in words.
    pub doing: String,
    /// One for each cell of the experiment's table, row by row.
    pub cells: Vec<Cell>,
}

/// Progress of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunStatus {
    Running,
    /// The runner waits for a second tab. The tab that shows the matrix goes to the run's `second_tab` and is sent back
    /// afterwards.
    WantsSecondTab,
    Finished,
}

/// One measurement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    #[serde(flatten)]
    pub id: CellId,
    pub verdict: CellVerdict,
    /// The deciding fact, in one sentence; for `not-measured`, why there is no verdict.
    pub because: String,
    /// When the last piece of evidence arrived.
    pub measured_at_ms: Option<u64>,
}

/// One measurement with all its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellEvidence {
    #[serde(flatten)]
    pub cell: Cell,
    pub hypothesis: String,
    /// Outcomes of the counted requests, for cells that count requests.
    pub tally: Vec<OutcomeCount>,
    /// The attack's code as the browser or the attacker's server ran it, if there was one.
    pub attack: Option<String>,
    /// What happened, oldest first.
    pub evidence: Vec<Evidence>,
}

/// Number of requests with one outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeCount {
    pub outcome: String,
    pub count: u32,
}

/// One event of a measurement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Evidence {
    /// What a page or a server of the lab did or observed, in words.
    Note {
        at_ms: u64,
        who: Participant,
        text: String,
        /// What the note is about, if a verdict depends on it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        event: Option<NotedEvent>,
    },
    /// The user that the victim's site reported for the browser; `None` if no user was signed in.
    #[serde(rename = "seen")]
    AccountSeen {
        at_ms: u64,
        who: Participant,
        when: String,
        user: Option<String>,
    },
    /// What the attack's script sent to the attacker's server.
    Loot { at_ms: u64, found: Vec<StolenValue> },
    /// The attacker's server has tried the stolen values: how many requests it made, and how many got no response.
    #[serde(rename = "tried")]
    LootTried {
        at_ms: u64,
        requests: u32,
        unanswered: u32,
    },
    /// The browser blocked something because of the page's Content-Security-Policy.
    Blocked {
        at_ms: u64,
        /// The directive that was violated (CSP3 §5, `effectiveDirective`).
        directive: String,
        /// What was blocked: an address, or a word such as `inline`.
        what: String,
    },
    /// A request that the victim's server received, and its response.
    Exchange(RecordedExchange),
}

impl Evidence {
    /// When it happened.
    pub const fn at_ms(&self) -> u64 {
        match self {
            Self::Note { at_ms, .. }
            | Self::AccountSeen { at_ms, .. }
            | Self::Loot { at_ms, .. }
            | Self::LootTried { at_ms, .. }
            | Self::Blocked { at_ms, .. } => *at_ms,
            Self::Exchange(exchange) => exchange.at_ms,
        }
    }
}

/// An event on which a verdict depends, and which only a note reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotedEvent {
    /// The runner could not finish the step; the text says why.
    StepFailed,
    /// The lab dropped a response of the server.
    ResponseDropped,
}

/// Who caused or observed an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Participant {
    /// The victim's page in the visitor's browser.
    Page,
    /// Another page of the same browser: the second tab.
    SecondTab,
    /// The attacker's server, with its own connection.
    Attacker,
    /// The lab itself.
    Lab,
}

/// One stolen value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StolenValue {
    /// Where the script found it: `localStorage`, `document.cookie`, `fetch`, …
    pub place: String,
    pub name: String,
    pub value: String,
}

/// A request and its response as sent, without headers that do not matter here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedExchange {
    pub at_ms: u64,
    /// `Page` for every request of the browser, whichever site's page made it; see `Origin` and `Sec-Fetch-Site`.
    pub who: Participant,
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub status: u16,
    pub answer_headers: Vec<(String, String)>,
    pub answer: String,
}

/// `POST /api/lab/runs`: what to run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewRun {
    #[serde(rename = "bench")]
    pub experiment: Experiment,
    /// Only for the experiment with tokens; the others have a column for each defence.
    pub without: Option<Defence>,
    /// Only for the experiment with concurrent refreshes.
    #[serde(rename = "crowd")]
    pub concurrency: Concurrency,
}

/// The response to [`NewRun`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStarted {
    pub id: String,
    /// The address of the runner, to be opened in a separate window.
    pub runner: String,
    /// The address that the tab with the matrix opens when the run asks for a second tab.
    pub second_tab: String,
}

/// The complete run with its evidence, for download.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReport {
    pub id: String,
    #[serde(rename = "bench")]
    pub experiment: Experiment,
    pub started_at_ms: u64,
    pub browser: String,
    pub database: String,
    pub without: Option<Defence>,
    #[serde(rename = "crowd")]
    pub concurrency: Option<Concurrency>,
    pub rows: Vec<CellEvidence>,
}
