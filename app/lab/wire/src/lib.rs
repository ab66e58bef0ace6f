//! What the lab tells about a run: which cells it measured, what came out, and the evidence.
//!
//! The lab is a demonstration that an operator switches on; its accounts and tokens are made for one run and thrown
//! away. Times are milliseconds since the Unix epoch here, because a run takes seconds.
//!
//! # Layout
//! - here: runs, cells and their evidence, as JSON
//! - [`place`] the benches, and what the rows and columns of their tables are; [`crowd`] how many refreshes meet
//! - [`live`] plays with one session

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
    /// What the evidence of a cell comes to.
    Verdict {
        /// The attack was carried out and got nothing.
        Safe = "safe",
        /// The attack got what it wanted.
        Exposed = "exposed",
        /// The session was there afterwards.
        Survives = "survives",
        /// The session was gone afterwards.
        Lost = "lost",
        /// There is no evidence; the cell says why.
        NotMeasured = "not-measured",
    }
}

names! {
    /// A defence of Keyturn that a run can do without, to see what it was good for.
    Defence {
        /// The refresh cookie's `HttpOnly`.
        HttpOnly = "http-only",
        /// The guard that refuses what another site sends, `SameSite`, and the custom header.
        CrossSite = "cross-site",
        /// That a sign-out ends the access tokens too.
        Revocation = "revocation",
        /// That a refresh token which was used before ends its session.
        ReuseDetection = "reuse-detection",
    }
}

/// A run, without its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    pub id: String,
    pub bench: Bench,
    pub started_at_ms: u64,
    /// The browser that it ran in, as its `User-Agent` names it.
    pub browser: String,
    /// What the product that was measured keeps its sessions in.
    pub database: String,
    /// The defence that was switched off, if any.
    pub without: Option<Defence>,
    /// How many refreshes meet, where they do.
    pub crowd: Option<Crowd>,
    pub stage: Stage,
    /// How many steps are done, of how many.
    pub done: u32,
    pub steps: u32,
    /// What the runner is doing, in words.
    pub doing: String,
    /// One for each place of the bench's table, row by row.
    pub cells: Vec<Cell>,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    Running,
    /// The runner waits for a second tab, which is the one that shows the matrix: it should go to the run's
    /// `second_tab` and will be sent back.
    WantsSecondTab,
    Finished,
}

/// One measurement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    #[serde(flatten)]
    pub place: Place,
    pub verdict: Verdict,
    /// What decided, in one sentence; for `not-measured`, why there is nothing to say.
    pub because: String,
    /// When the last piece of evidence came in.
    pub measured_at_ms: Option<u64>,
}

/// One measurement with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellEvidence {
    #[serde(flatten)]
    pub cell: Cell,
    pub hypothesis: String,
    /// What came of the requests that were counted, where that is what a cell is about.
    pub tally: Vec<Tally>,
    /// The attack's code as the browser or the attacker's server ran it, if there was one.
    pub attack: Option<String>,
    /// What happened, oldest first.
    pub evidence: Vec<Evidence>,
}

/// So many requests came to this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub outcome: String,
    pub count: u32,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Evidence {
    /// What a page or a server of the lab did or saw, in words.
    Note { at_ms: u64, who: Who, text: String },
    /// Whom the victim's site took the browser for; `None` if nobody was signed in.
    Seen {
        at_ms: u64,
        who: Who,
        when: String,
        user: Option<String>,
    },
    /// What an attack's script brought to the attacker's server.
    Loot { at_ms: u64, found: Vec<Found> },
    /// The attacker's server has tried out what was brought: how many requests it made, and how many got no answer.
    Tried {
        at_ms: u64,
        requests: u32,
        unanswered: u32,
    },
    /// The browser did not do something because the page's Content-Security-Policy forbids it.
    Blocked {
        at_ms: u64,
        /// The directive that decided (CSP3 §5, `effectiveDirective`).
        directive: String,
        /// What was not done: an address, or a word such as `inline`.
        what: String,
    },
    /// A request that the victim's server received, and its answer.
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

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// The victim's own page in the visitor's browser.
    Page,
    /// Another page of the same browser: the second tab.
    SecondTab,
    /// The attacker's server, with a connection of its own.
    Attacker,
    /// The lab itself.
    Lab,
}

/// A piece of loot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Where the script found it: `localStorage`, `document.cookie`, `fetch`, …
    pub place: String,
    pub name: String,
    pub value: String,
}

/// A request and its answer as they were, but for headers that say nothing about the matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    pub at_ms: u64,
    /// `Page` for every request of the browser, whichever site's page made it; `Origin` and `Sec-Fetch-Site` tell.
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
    /// Only where tokens are attacked; the other benches have a column for each defence.
    pub without: Option<Defence>,
    /// Only where refreshes meet.
    pub crowd: Crowd,
}

/// The answer to [`NewRun`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStarted {
    pub id: String,
    /// The address of the runner, to be opened in a window of its own.
    pub runner: String,
    /// The address that the tab with the matrix goes to when the run asks for a second tab.
    pub second_tab: String,
}

/// The whole run with its evidence: what is downloaded.
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
