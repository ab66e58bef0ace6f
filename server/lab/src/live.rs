//! Live plays: an owner, a thief and one session, and the family tree of its tokens.
//!
//! With the lab's own product nothing is simulated. Whatever somebody does is a request, through its own router, with its
//! guards, its rotation and its tables; only the network between them is left out. After each the tables are read, and
//! [`tree`] works out from the answers and the rows how every token is. To compare it with, the other designs can be
//! played as well: each is a [`model`], the same that the simulator runs. Time is not moved: whoever wants the forgiveness
//! to pass has to wait for it.
//!
//! - [`scene`] what has happened so far, and what happens next
//! - [`issuer`] who gives out the tokens: the product, or a [`model`]
//! - [`browser`] who holds what, and what they send to the product
//! - [`tree`] from the answers and the rows to the tokens and their states; [`words`] tells of them

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

/// A play with the product makes an account, which costs password hashing; a run makes two.
const BOUNDS: Bounds = Bounds {
    remembered: 32,
    a_minute: 24,
};

/// So many may watch a play at once: each keeps a connection to the site.
const WATCHERS: usize = 16;

/// All plays.
pub type Plays = Shelf<Play>;

/// One play.
pub struct Play {
    pub id: String,
    started_at_ms: u64,
    /// One act at a time: what is read after it belongs to it.
    scene: Turn<Scene>,
    seen: watch::Sender<Seen>,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum NoAct {
    #[error("the play has had all its acts")]
    Full,
    #[error("nobody was signed in: {0:?}")]
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
    /// Somebody signs in who never did, and has used the first access token.
    ///
    /// # Errors
    /// If too many were begun, or the account cannot be made.
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

    /// The play as it is now.
    pub fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// The play as it goes on; `None` if so many watch it that it may not be more.
    pub fn follow(&self) -> Option<watch::Receiver<Seen>> {
        (self.seen.receiver_count() < WATCHERS).then(|| self.seen.subscribe())
    }

    /// How long it will be remembered.
    pub fn time_left(&self, now: Timestamp) -> Duration {
        Duration::from_millis((self.started_at_ms + KEPT_MS).saturating_sub(millis(now)))
    }

    /// Does something, and tells everybody who follows what came of it.
    ///
    /// # Errors
    /// If there is no such token, the play is full, or its tables cannot be read.
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
