//! The keys in a node's memory: decrypted, and as current as the last database read.

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

use super::{AccessKey, Alg, JwkSet, KeyError, KeyManager, schedule};
use crate::secrets::MasterSecret;

/// How often a node checks for keys that were added or ended elsewhere: a revocation takes effect within a second.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// The minimum interval between reloads for unknown keys. A stream of tokens with such keys costs one query per second.
const LOOKUP_INTERVAL: Duration = Duration::from_secs(1);

/// The keys of this node.
///
/// A standard library lock protects them. It is held only to clone one pointer, and a slow reload prepares the keys
/// before it takes the lock.
#[derive(Debug)]
pub struct KeyRing {
    manager: KeyManager,
    keys: RwLock<Arc<[LoadedKey]>>,
    /// Held while keys are loaded, so that an older result never replaces a newer one, and concurrent requests for the
    /// same missing key share one query.
    loading: Mutex<Option<LastLookup>>,
    /// The cached refresh key ids of other nodes' master secrets. Held while the database is queried.
    refresh_keys: Mutex<Option<RefreshKeyCache>>,
    loads: AtomicU64,
}

/// The refresh keys of the master secret versions that encrypt the active signing keys.
#[derive(Debug)]
struct RefreshKeyCache {
    at: Timestamp,
    /// `None`: the database did not answer.
    refresh_kids: Option<Vec<KeyId>>,
}

/// A decrypted key, and the last state that the database had for it.
#[derive(Debug, Clone)]
struct LoadedKey {
    entry: KeyEntry,
    key: Arc<AccessKey>,
}

/// The last lookup of an unknown key.
#[derive(Debug, Clone, Copy)]
struct LastLookup {
    at: Timestamp,
    answered: bool,
}

/// The result of a lookup by key id.
pub(in crate::tokens) enum KeyLookup {
    Key(Arc<AccessKey>),
    /// Known, but no longer trusted.
    Ended,
    Unknown,
}

impl KeyRing {
    /// Applies the key schedule in the database and decrypts the keys; an empty database gets its first key.
    ///
    /// # Errors
    /// If the database is unavailable, or one of its keys cannot be decrypted.
    pub async fn start(manager: KeyManager) -> Result<Self, KeyError> {
        manager.prepare().await?;
        let ring = Self {
            manager,
            keys: RwLock::new(Arc::new([])),
            loading: Mutex::new(None),
            refresh_keys: Mutex::new(None),
            loads: AtomicU64::new(0),
        };
        ring.reload().await?;
        if ring.signer(ring.manager.clock.now()).is_some() {
            Ok(ring)
        } else {
            Err(KeyError::None)
        }
    }

    pub fn manager(&self) -> &KeyManager {
        &self.manager
    }

    /// How many times the keys were loaded.
    pub fn loads(&self) -> u64 {
        self.loads.load(Ordering::Relaxed)
    }

    /// Loads changes from the database.
    ///
    /// # Errors
    /// If the database is unavailable: then the keys stay unchanged. If a key cannot be decrypted: then all other
    /// changes were applied.
    pub async fn reload(&self) -> Result<(), KeyError> {
        let _alone = self.loading.lock().await;
        self.load().await
    }

    /// Reads the database once and applies what is due: a key that ends, a scheduled rotation. The first of several
    /// nodes applies it; the others find it already applied.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn tick(&self) -> Result<(), KeyError> {
        self.reload().await?;
        let now = self.manager.clock.now();
        let keys = self.keys();
        if schedule::is_due(entries(&keys), &self.manager.rules, now) {
            self.manager.apply_schedule().await?;
            self.reload().await?;
        }
        Ok(())
    }

    /// Ticks until it is dropped, which is safe at any moment.
    ///
    /// A node that cannot reach the database continues with the keys that it has: a revocation takes effect there when
    /// the database is back. Refusing all tokens instead would turn every short outage into an outage of the whole
    /// site.
    pub async fn keep_fresh(&self) {
        let mut ticks = interval(POLL_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut fails = false;
        loop {
            ticks.tick().await;
            let ticked = self.tick().await;
            if ticked.is_err() {
                metrics::counter!("keyturn_signing_key_failures_total").increment(1);
            }
            // Logged once when it begins and once when it ends, not twice a second.
            match ticked {
                Err(error) if !fails => {
                    tracing::error!(%error, "signing keys not refreshed; retrying");
                    fails = true;
                }
                Ok(()) if fails => {
                    tracing::info!("signing keys refreshed again");
                    fails = false;
                }
                Err(_) | Ok(()) => {}
            }
        }
    }

    /// The key that signs at `now`. `None` only if the table was emptied by hand.
    pub(in crate::tokens) fn signer(&self, now: Timestamp) -> Option<Arc<AccessKey>> {
        let keys = self.keys();
        let signer = schedule::signer(entries(&keys), now)?;
        find(&keys, signer.kid.as_str()).map(|key| Arc::clone(&key.key))
    }

    pub(in crate::tokens) fn find(&self, kid: &str, now: Timestamp) -> KeyLookup {
        match find(&self.keys(), kid) {
            Some(key) if schedule::is_trusted(&key.entry, now) => KeyLookup::Key(Arc::clone(&key.key)),
            Some(_) => KeyLookup::Ended,
            None => KeyLookup::Unknown,
        }
    }

    /// Looks up a key that this node does not have, at most once per [`LOOKUP_INTERVAL`]. The caller then uses the updated
    /// ring.
    ///
    /// Between two lookups an unknown key is treated as foreign, even if it is only a second old. That affects only
    /// keys that sign immediately, after an emergency, and only if a request named another unknown key just before. The
    /// bearer of such a token refreshes and continues.
    ///
    /// # Errors
    /// If the database cannot be queried, so that the key remains unknown.
    pub(in crate::tokens) async fn reload_for(&self, kid: &str) -> Result<(), KeyError> {
        let mut last = self.loading.lock().await;
        if find(&self.keys(), kid).is_some() {
            return Ok(());
        }
        let clock = &self.manager.clock;
        let asked = |answered| {
            let at = clock.now();
            Some(LastLookup { at, answered })
        };
        match *last {
            Some(last) if last.at.distance(clock.now()) < LOOKUP_INTERVAL => {
                return if last.answered {
                    Ok(())
                } else {
                    Err(KeyError::LookupThrottled)
                };
            }
            _ => {}
        }
        // Recorded first, in case the request is cancelled while it waits.
        *last = asked(false);
        let loaded = self.load().await;
        // Recorded again, for the requests that queued behind this one: the result is new for them, too.
        *last = asked(loaded.is_ok());
        loaded
    }

    /// Whether an unknown refresh key comes from a master secret that another node uses: the signing keys in the
    /// database are then encrypted under it. Queries at most once per [`LOOKUP_INTERVAL`].
    ///
    /// # Errors
    /// If the database cannot be queried.
    pub(in crate::tokens) async fn is_of_another_node(&self, refresh_kid: &str) -> Result<bool, KeyError> {
        let mut last = self.refresh_keys.lock().await;
        let now = self.manager.clock.now();
        let known = match last.as_ref() {
            Some(known) if known.at.distance(now) < LOOKUP_INTERVAL => known,
            _ => {
                // Recorded first, in case the request is cancelled while it waits.
                let asked = |refresh_kids| RefreshKeyCache {
                    at: now,
                    refresh_kids,
                };
                *last = Some(asked(None));
                let keys = self.manager.list().await?;
                let active = keys.iter().filter(|key| key.state == KeyState::Active);
                let kids = active.filter_map(|key| MasterSecret::refresh_kid_of(&key.sealed_private_key));
                last.insert(asked(Some(kids.collect())))
            }
        };
        let kids = known.refresh_kids.as_ref().ok_or(KeyError::LookupThrottled)?;
        Ok(kids.iter().any(|kid| kid.as_str() == refresh_kid))
    }

    /// The public keys that are trusted at `now`.
    pub fn jwks(&self, now: Timestamp) -> JwkSet {
        let keys = self.keys();
        let trusted = keys.iter().filter(|key| schedule::is_trusted(&key.entry, now));
        JwkSet {
            keys: trusted.filter_map(|key| key.key.jwk()).collect(),
        }
    }

    /// The caller must hold `loading`.
    async fn load(&self) -> Result<(), KeyError> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("keyturn_signing_key_loads_total").increment(1);
        let entries = self.manager.store.active_key_entries().await?;
        let before = self.keys();
        if entries.iter().eq(before.iter().map(|key| &key.entry)) {
            return Ok(());
        }

        // Encrypted keys are fetched and decrypted only if they are new here.
        let new: Vec<KeyId> = entries
            .iter()
            .filter(|entry| find(&before, entry.kid.as_str()).is_none())
            .map(|entry| entry.kid.clone())
            .collect();
        let sealed = if new.is_empty() {
            Vec::new()
        } else {
            self.manager.store.active_keys_named(&new).await?
        };

        let mut failed = None;
        let mut after = Vec::with_capacity(entries.len());
        for entry in entries {
            // A later version of Keyturn may have keys with other algorithms; it verifies its own tokens.
            let Ok(alg) = entry.alg.parse::<Alg>() else {
                continue;
            };
            let key = match find(&before, entry.kid.as_str()) {
                Some(key) => Ok(Arc::clone(&key.key)),
                None => match sealed.iter().find(|stored| stored.entry.kid == entry.kid) {
                    Some(stored) => self.manager.open(stored, alg).map(Arc::new),
                    // Ended between the two queries.
                    None => continue,
                },
            };
            match key {
                Ok(key) => after.push(LoadedKey { entry, key }),
                Err(error) => failed = Some(error),
            }
        }
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = after.into();
        failed.map_or(Ok(()), Err)
    }

    fn keys(&self) -> Arc<[LoadedKey]> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn entries(keys: &[LoadedKey]) -> impl DoubleEndedIterator<Item = &KeyEntry> + Clone {
    keys.iter().map(|key| &key.entry)
}

fn find<'a>(keys: &'a [LoadedKey], kid: &str) -> Option<&'a LoadedKey> {
    keys.iter().find(|key| key.entry.kid.as_str() == kid)
}
