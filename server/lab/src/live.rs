//! Live plays: an owner, a thief and one session, and the family tree of its tokens.
//!
//! With the lab's own product nothing is simulated. Every act is a request, through the product's router, with its
//! guards, its rotation and its tables; only the network is left out. After each act the tables are read, and [`tree`]
//! derives the state of every token from the responses and the rows. The other designs can be played for comparison:
//! each is a [`model`], the same that the simulator runs. Time runs normally: to see the grace period end, the visitor
//! has to wait for it.
//!
//! - [`scene`] what has happened so far, and what happens next
//! - [`issuer`] the issuer of the tokens: the product, or a [`model`]
//! - [`browser`] the clients' tokens, and their requests to the product
//! - [`tree`] the tokens and their states, from the responses and the rows; [`words`] describes them

mod browser;
mod issuer;
mod model;
mod scene;
mod tree;
mod words;

use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use lab_types::live::{Act, Answer, Design, Play as Seen};
use rotation::{Clock, Timestamp};
use store::StoreError;
use tokio::sync::{Mutex as Turn, watch};

use super::{
    Lab, NoRun,
    runs::Person,
    shelf::{Bounds, KEPT_MS, Kept, Shelf},
};
use scene::Scene;

/// A play with the product creates an account, which costs password hashing; a run creates two.
const BOUNDS: Bounds = Bounds {
    remembered: 32,
    a_minute: 24,
};

/// How many may watch a play at the same time: each keeps a connection to the site.
const WATCHERS: usize = 16;

/// All plays.
pub type Plays = Shelf<Play>;

/// One play.
pub struct Play {
    pub id: String,
    started_at_ms: u64,
    /// One act at a time: what is read after an act belongs to it.
    scene: Turn<Scene>,
    seen: watch::Sender<Seen>,
}

/// Why an act was not performed.
#[derive(Debug, thiserror::Error)]
pub enum NoAct {
    #[error("the play has had all its acts")]
    Full,
    #[error("the sign-in failed: {0:?}")]
    NotSignedIn(Answer),
    #[error("no token of the play has this generation")]
    NoSuchToken,
    #[error("the lab's own tables: {0}")]
    Store(#[from] StoreError),
    #[error("the request could not be made: {0}")]
    Request(#[from] axum::http::Error),
}

pub fn plays(clock: Arc<dyn Clock>) -> Plays {
    Shelf::new(clock, BOUNDS)
}

impl Kept for Play {
    fn id(&self) -> &str {
        &self.id
    }

    fn started_at_ms(&self) -> u64 {
        self.started_at_ms
    }

    fn used_at_ms(&self) -> u64 {
        self.seen.borrow().done.last().map_or(0, |done| done.at_ms)
    }
}

impl Play {
    /// Begins with a new account that is signed in and has used its first access token.
    ///
    /// # Errors
    /// If too many were started, or the account cannot be created.
    pub async fn begin(lab: &Lab, design: Design) -> Result<Arc<Self>, NoRun> {
        if !lab.plays.may_begin() {
            return Err(NoRun::TooMany);
        }
        let id = lab.random.name();
        let owner = Person {
            email: format!("ada@live.{id}.example"),
            password: BASE64_URL_SAFE_NO_PAD.encode(lab.random.bytes::<18>()),
        };
        let scene = Scene::open(lab, id.clone(), design, &owner)
            .await
            .map_err(|why| NoRun::NoAccount(why.to_string()))?;
        let seen = scene
            .seen(lab)
            .await
            .map_err(|why| NoRun::NoAccount(why.to_string()))?;
        Ok(lab.plays.add(Self {
            id,
            started_at_ms: seen.started_at_ms,
            scene: Turn::new(scene),
            seen: watch::Sender::new(seen),
        }))
    }

    /// The current state of the play.
    pub fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// Follows the play; `None` if too many watch it already.
    pub fn follow(&self) -> Option<watch::Receiver<Seen>> {
        (self.seen.receiver_count() < WATCHERS).then(|| self.seen.subscribe())
    }

    /// How long the play is still kept.
    pub fn time_left(&self, now: Timestamp) -> Duration {
        Duration::from_millis((self.started_at_ms + KEPT_MS).saturating_sub(millis(now)))
    }

    /// Performs an act, and notifies all followers of the result.
    ///
    /// # Errors
    /// If there is no such token, the play has had all its acts, or its tables cannot be read.
    pub async fn act(&self, lab: &Lab, act: Act) -> Result<Seen, NoAct> {
        let mut scene = self.scene.lock().await;
        scene.perform(lab, act).await?;
        let seen = scene.seen(lab).await?;
        self.seen.send_replace(seen.clone());
        Ok(seen)
    }
}

fn millis(at: Timestamp) -> u64 {
    u64::try_from(at.millis()).unwrap_or(0)
}

impl fmt::Debug for Play {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Play")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
