//! The keys as a node holds them: open, in memory, and as fresh as the last look at the database.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rotation::{KeyId, Timestamp};
use store::keys::{KeyEntry, KeyState};
use tokio::{
    sync::Mutex,
    time::{MissedTickBehavior, interval},
};

use super::{AccessKey, Alg, JwkSet, KeyError, Keysmith, plan};
use crate::secrets::MasterSecret;

/// How often a node looks for keys that were added or ended elsewhere: a revocation counts within a second.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long tokens with unknown keys cannot make a node look again. A stream of them costs one query a second.
const ASK_PAUSE: Duration = Duration::from_secs(1);

/// The keys of this node.
///
/// A lock of the standard library holds them: it is taken for the time of cloning one pointer, and a reload that takes
/// long has them ready before it takes it.
#[derive(Debug)]
pub struct KeyRing {
    smith: Keysmith,
    keys: RwLock<Arc<[Held]>>,
    /// Held while keys are loaded, so that an older answer never replaces a newer one and many who miss the same key
    /// wait for one query.
    loading: Mutex<Option<Asked>>,
    /// What is known of master secrets that other nodes have. Held while the database is asked.
    sealing: Mutex<Option<Sealing>>,
    loads: AtomicU64,
}

/// Which refresh keys belong to the versions of the master secret that seal the active signing keys.
#[derive(Debug)]
struct Sealing {
    at: Timestamp,
    /// `None`: the database did not answer.
    refresh_kids: Option<Vec<KeyId>>,
}

/// A key that was opened, and what the database said of it last.
#[derive(Debug, Clone)]
struct Held {
    entry: KeyEntry,
    key: Arc<AccessKey>,
}

/// The last time that an unknown key was asked for.
#[derive(Debug, Clone, Copy)]
struct Asked {
    at: Timestamp,
    answered: bool,
}

/// What the ring has under a name.
pub(in crate::tokens) enum Found {
    Key(Arc<AccessKey>),
    /// Known, and no longer trusted.
    Ended,
    Unknown,
}

impl KeyRing {
    /// Puts the keys of the database in order and opens them; an empty database is given its first key.
    ///
    /// # Errors
    /// If the database is unavailable, or a key in it cannot be opened.
    pub async fn start(smith: Keysmith) -> Result<Self, KeyError> {
        smith.prepare().await?;
        let ring = Self {
            smith,
            keys: RwLock::new(Arc::new([])),
            loading: Mutex::new(None),
            sealing: Mutex::new(None),
            loads: AtomicU64::new(0),
        };
        ring.reload().await?;
        if ring.signer(ring.smith.clock.now()).is_some() {
            Ok(ring)
        } else {
            Err(KeyError::None)
        }
    }

    pub fn smith(&self) -> &Keysmith {
        &self.smith
    }

    /// How often keys were looked for.
    pub fn loads(&self) -> u64 {
        self.loads.load(Ordering::Relaxed)
    }

    /// Takes over what was changed in the database.
    ///
    /// # Errors
    /// If the database is unavailable: then the keys stay as they are. If a key cannot be opened: then everything else
    /// was taken over.
    pub async fn reload(&self) -> Result<(), KeyError> {
        let _alone = self.loading.lock().await;
        self.load().await
    }

    /// One look at the database, and whatever has come due since the last: a key that ends, a rotation by schedule. Of
    /// several nodes the first does it, the others find it done.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn tick(&self) -> Result<(), KeyError> {
        self.reload().await?;
        let now = self.smith.clock.now();
        let keys = self.keys();
        if plan::is_due(entries(&keys), &self.smith.rules, now) {
            self.smith.tend().await?;
            self.reload().await?;
        }
        Ok(())
    }

    /// Ticks for ever. It may be dropped at any moment.
    ///
    /// A node that has lost the database goes on with the keys that it has: a revocation reaches it when the database
    /// is back. To refuse all tokens instead would turn every short outage into one of the whole site.
    pub async fn keep_fresh(&self) {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut fails = false;
        loop {
            ticks.tick().await;
            let ticked = self.tick().await;
            if ticked.is_err() {
                metrics::counter!("keyturn_signing_key_failures_total").increment(1);
            }
            // Told once when it begins and once when it ends, not twice a second.
            match ticked {
                Err(error) if !fails => {
                    tracing::error!(%error, "the signing keys cannot be kept fresh");
                    fails = true;
                }
                Ok(()) if fails => {
                    tracing::info!("the signing keys are fresh again");
                    fails = false;
                }
                Err(_) | Ok(()) => {}
            }
        }
    }

    /// The key that signs at `now`. `None` only if somebody emptied the table.
    pub(in crate::tokens) fn signer(&self, now: Timestamp) -> Option<Arc<AccessKey>> {
        let keys = self.keys();
        let signer = plan::signer(entries(&keys), now)?;
        find(&keys, signer.kid.as_str()).map(|held| Arc::clone(&held.key))
    }

    pub(in crate::tokens) fn find(&self, kid: &str, now: Timestamp) -> Found {
        match find(&self.keys(), kid) {
            Some(held) if plan::is_trusted(&held.entry, now) => Found::Key(Arc::clone(&held.key)),
            Some(_) => Found::Ended,
            None => Found::Unknown,
        }
    }

    /// Looks for a key that this node has not met, at most once in [`ASK_PAUSE`]. What the ring has afterwards counts.
    ///
    /// Between two looks an unknown key is taken for a stranger's, though it may be a second old. That concerns keys that
    /// sign at once, after an emergency, and only if somebody sent another unknown name just before; its bearer
    /// refreshes and goes on.
    ///
    /// # Errors
    /// If the database cannot be asked: nobody knows whose key it is.
    pub(in crate::tokens) async fn look_for(&self, kid: &str) -> Result<(), KeyError> {
        let mut last = self.loading.lock().await;
        if find(&self.keys(), kid).is_some() {
            return Ok(());
        }
        let clock = &self.smith.clock;
        let asked = |answered| {
            let at = clock.now();
            Some(Asked { at, answered })
        };
        match *last {
            Some(last) if last.at.distance(clock.now()) < ASK_PAUSE => {
                return if last.answered {
                    Ok(())
                } else {
                    Err(KeyError::AskedInVain)
                };
            }
            _ => {}
        }
        // Noted first, for a request that is given up while it waits.
        *last = asked(false);
        let loaded = self.load().await;
        // And again, for those that queued up behind it: what it found is news to them, too.
        *last = asked(loaded.is_ok());
        loaded
    }

    /// Whether a refresh key that this node does not have comes from a master secret that another node uses: the
    /// signing keys in the database are sealed under it. Asks at most once in [`ASK_PAUSE`].
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub(in crate::tokens) async fn is_of_another_node(&self, refresh_kid: &str) -> Result<bool, KeyError> {
        let mut last = self.sealing.lock().await;
        let now = self.smith.clock.now();
        let known = match last.as_ref() {
            Some(known) if known.at.distance(now) < ASK_PAUSE => known,
            _ => {
                // Noted first, for a request that is given up while it waits.
                let asked = |refresh_kids| Sealing {
                    at: now,
                    refresh_kids,
                };
                *last = Some(asked(None));
                let keys = self.smith.list().await?;
                let active = keys.iter().filter(|key| key.state == KeyState::Active);
                let kids = active.filter_map(|key| MasterSecret::refresh_kid_of(&key.sealed_private_key));
                last.insert(asked(Some(kids.collect())))
            }
        };
        let kids = known.refresh_kids.as_ref().ok_or(KeyError::AskedInVain)?;
        Ok(kids.iter().any(|kid| kid.as_str() == refresh_kid))
    }

    /// The public halves of the keys that are trusted at `now`.
    pub fn jwks(&self, now: Timestamp) -> JwkSet {
        let keys = self.keys();
        let trusted = keys.iter().filter(|held| plan::is_trusted(&held.entry, now));
        JwkSet {
            keys: trusted.filter_map(|held| held.key.jwk()).collect(),
        }
    }

    /// To be called with `loading` held.
    async fn load(&self) -> Result<(), KeyError> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("keyturn_signing_key_loads_total").increment(1);
        let entries = self.smith.store.active_key_entries().await?;
        let before = self.keys();
        if entries.iter().eq(before.iter().map(|held| &held.entry)) {
            return Ok(());
        }

        // Sealed keys are fetched and opened only if they are new here.
        let new: Vec<KeyId> = entries
            .iter()
            .filter(|entry| find(&before, entry.kid.as_str()).is_none())
            .map(|entry| entry.kid.clone())
            .collect();
        let sealed = if new.is_empty() {
            Vec::new()
        } else {
            self.smith.store.active_keys_named(&new).await?
        };

        let mut failed = None;
        let mut after = Vec::with_capacity(entries.len());
        for entry in entries {
            // A later version of this program may have keys of other algorithms; it verifies its own tokens.
            let Ok(alg) = entry.alg.parse::<Alg>() else {
                continue;
            };
            let key = match find(&before, entry.kid.as_str()) {
                Some(held) => Ok(Arc::clone(&held.key)),
                None => match sealed.iter().find(|stored| stored.entry.kid == entry.kid) {
                    Some(stored) => self.smith.open(stored, alg).map(Arc::new),
                    // Ended between the two queries.
                    None => continue,
                },
            };
            match key {
                Ok(key) => after.push(Held { entry, key }),
                Err(error) => failed = Some(error),
            }
        }
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = after.into();
        failed.map_or(Ok(()), Err)
    }

    fn keys(&self) -> Arc<[Held]> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn entries(keys: &[Held]) -> impl DoubleEndedIterator<Item = &KeyEntry> + Clone {
    keys.iter().map(|held| &held.entry)
}

fn find<'a>(keys: &'a [Held], kid: &str) -> Option<&'a Held> {
    keys.iter().find(|held| held.entry.kid.as_str() == kid)
}
