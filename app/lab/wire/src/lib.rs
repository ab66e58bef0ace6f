#![doc = include_str!("../README.md")]

#[macro_use]
mod names;
pub mod crowd;
pub mod labels;
pub mod live;
pub mod paths;
pub mod place;

use serde::{Deserialize, Serialize};

pub use crowd::Crowd;
pub use place::{Bench, Guard, Injection, Load, Place, Policy, Remedy, Source, Strategy, Threat, Vector};

names! {
    /// The conclusion from a cell's evidence.
    Verdict {
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
pub struct Run {
    pub id: String,
    pub bench: Bench,
    pub started_at_ms: u64,
    /// The browser of the run, by its `User-Agent`.
    pub browser: String,
    /// The database in which the measured product stores its sessions.
    pub database: String,
    /// The disabled defence, if any.
    pub without: Option<Defence>,
    /// How many refreshes run concurrently, where that is measured.
    pub crowd: Option<Crowd>,
    pub stage: Stage,
    /// Number of completed steps, out of `steps`.
    pub done: u32,
    pub steps: u32,
    /// What the runner is doing, in words.
    pub doing: String,
    /// One for each place of the experiment's table, row by row.
    pub cells: Vec<Cell>,
}

/// Progress of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
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
    pub place: Place,
    pub verdict: Verdict,
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
    pub tally: Vec<Tally>,
    /// The attack's code as the browser or the attacker's server ran it, if there was one.
    pub attack: Option<String>,
    /// What happened, oldest first.
    pub evidence: Vec<Evidence>,
}

/// Number of requests with one outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub outcome: String,
    pub count: u32,
}

/// One event of a measurement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Evidence {
    /// What a page or a server of the lab did or observed, in words.
    Note { at_ms: u64, who: Who, text: String },
    /// The user that the victim's site reported for the browser; `None` if no user was signed in.
    Seen {
        at_ms: u64,
        who: Who,
        when: String,
        user: Option<String>,
    },
    /// What the attack's script sent to the attacker's server.
    Loot { at_ms: u64, found: Vec<Found> },
    /// The attacker's server has tried the stolen values: how many requests it made, and how many got no response.
    Tried {
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
    Exchange(Exchange),
}

impl Evidence {
    /// When it happened.
    pub const fn at_ms(&self) -> u64 {
        match self {
            Self::Note { at_ms, .. }
            | Self::Seen { at_ms, .. }
            | Self::Loot { at_ms, .. }
            | Self::Tried { at_ms, .. }
            | Self::Blocked { at_ms, .. } => *at_ms,
            Self::Exchange(exchange) => exchange.at_ms,
        }
    }
}

/// The actor of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
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
pub struct Found {
    /// Where the script found it: `localStorage`, `document.cookie`, `fetch`, …
    pub place: String,
    pub name: String,
    pub value: String,
}

/// A request and its response as sent, without headers that do not matter here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    pub at_ms: u64,
    /// `Page` for every request of the browser, whichever site's page made it; see `Origin` and `Sec-Fetch-Site`.
    pub who: Who,
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
    pub bench: Bench,
    /// Only for the experiment with tokens; the others have a column for each defence.
    pub without: Option<Defence>,
    /// Only for the experiment with concurrent refreshes.
    pub crowd: Crowd,
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
pub struct Report {
    pub id: String,
    pub bench: Bench,
    pub started_at_ms: u64,
    pub browser: String,
    pub database: String,
    pub without: Option<Defence>,
    pub crowd: Option<Crowd>,
    pub rows: Vec<CellEvidence>,
}
