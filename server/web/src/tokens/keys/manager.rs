//! Applies the key schedule: turns the decisions of `schedule` into rows, on one node at a time.

use std::{fmt, sync::Arc};

use rotation::{Clock, Timestamp};
use secrecy::SecretString;
use store::{
    Store,
    keys::{KeyState, StoredKey},
};

use super::{
    AccessKey, Alg, KeyError, KeyRetirement, KeyRevocation, KeyRotation, KeyRules, key,
    schedule::{self, SigningStart},
};
use crate::{
    random::Random,
    secrets::MasterSecret,
    security_log::{KeyActor, KeyEvent, report_key},
};

/// Creates, replaces and ends the keys in the database. Every node follows a moment later.
pub struct KeyManager {
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) rules: KeyRules,
    master: MasterSecret,
    random: Arc<dyn Random>,
    actor: KeyActor,
}

impl KeyManager {
    pub fn new(
        rules: KeyRules,
        master_secrets: &[SecretString],
        store: &Store,
        clock: &Arc<dyn Clock>,
        random: &Arc<dyn Random>,
    ) -> Self {
        Self {
            store: store.clone(),
            clock: Arc::clone(clock),
            rules,
            master: MasterSecret::new(master_secrets),
            random: Arc::clone(random),
            actor: KeyActor::Schedule,
        }
    }

    /// The same, on behalf of an operator: the security log records that.
    #[must_use]
    pub fn for_operator(self) -> Self {
        Self {
            actor: KeyActor::CommandLine,
            ..self
        }
    }

    /// All keys, including ended ones, oldest first.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn list(&self) -> Result<Vec<StoredKey>, KeyError> {
        Ok(self.store.signing_keys().await?)
    }

    /// Prepares the keys when a node starts. Creates the first key of an empty database, rotates if the configuration
    /// has another algorithm, applies what is due, and re-encrypts what is under an older master secret.
    ///
    /// # Errors
    /// If the database is unavailable, or a key cannot be decrypted: without it, valid tokens would be refused.
    pub(super) async fn prepare(&self) -> Result<(), KeyError> {
        let before = self.store.signing_keys().await?;
        let mut after = before.clone();
        self.reconcile(&mut after)?;
        // Usually there is nothing to do, and starting nodes need not queue for that.
        if after != before {
            self.change(|keys| self.reconcile(keys)).await?;
        }
        Ok(())
    }

    /// Applies what is due at this time.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub(super) async fn apply_schedule(&self) -> Result<(), KeyError> {
        let now = self.clock.now();
        self.change(|keys| schedule::apply_schedule(keys, &self.rules, now, self.key_factory()))
            .await
    }

    /// Creates the next key, or finds that one is already waiting.
    ///
    /// # Errors
    /// If the database is unavailable, or a key cannot be re-encrypted.
    pub async fn rotate(&self, start: SigningStart) -> Result<KeyRotation, KeyError> {
        let now = self.clock.now();
        self.change(|keys| {
            let rotated = schedule::rotate(keys, &self.rules, start, now, self.key_factory())?;
            self.reseal(keys)?;
            Ok(rotated)
        })
        .await
    }

    /// Retires a key.
    ///
    /// # Errors
    /// If the database is unavailable, the key does not exist, or no other key could sign.
    pub async fn retire(&self, kid: &str) -> Result<KeyRetirement, KeyError> {
        let now = self.clock.now();
        self.change(|keys| schedule::retire(keys, &self.rules, kid, now))
            .await
    }

    /// Revokes a key immediately.
    ///
    /// # Errors
    /// If the database is unavailable, or the key does not exist.
    pub async fn revoke(&self, kid: &str) -> Result<KeyRevocation, KeyError> {
        let now = self.clock.now();
        self.change(|keys| schedule::revoke(keys, &self.rules, kid, now, self.key_factory()))
            .await
    }

    /// The id of the key that signs, among all keys.
    pub fn signer<'a>(&self, keys: &'a [StoredKey]) -> Option<&'a str> {
        schedule::signer(schedule::entries(keys), self.clock.now()).map(|entry| entry.kid.as_str())
    }

    /// Whether a key is encrypted under the newest version of the master secret. If not, the next start or rotation
    /// changes that.
    pub fn is_under_newest_secret(&self, key: &StoredKey) -> bool {
        self.master.is_newest(&key.sealed_private_key)
    }

    /// Decrypts a key.
    ///
    /// # Errors
    /// If no version of the master secret can.
    pub(super) fn open(&self, stored: &StoredKey, alg: Alg) -> Result<AccessKey, KeyError> {
        AccessKey::open(stored, alg, &self.master)
    }

    /// Changes the keys, and after the commit writes each change to the security log.
    async fn change<T: Send>(
        &self,
        change: impl FnOnce(&mut Vec<StoredKey>) -> Result<T, KeyError> + Send,
    ) -> Result<T, KeyError> {
        let changed = self.store.change_signing_keys(|keys| {
            let before = keys.clone();
            let answer = change(keys)?;
            Ok::<_, KeyError>((answer, events_between(&before, keys)))
        });
        let (answer, acts) = changed.await?;
        for (act, kid) in acts {
            report_key(act, &kid, self.actor);
        }
        Ok(answer)
    }

    fn reconcile(&self, keys: &mut Vec<StoredKey>) -> Result<(), KeyError> {
        let now = self.clock.now();
        schedule::apply_schedule(keys, &self.rules, now, self.key_factory())?;
        if schedule::is_for_another_alg(keys, &self.rules) {
            schedule::rotate(
                keys,
                &self.rules,
                SigningStart::AfterPublication,
                now,
                self.key_factory(),
            )?;
        }
        self.reseal(keys)
    }

    fn reseal(&self, keys: &mut [StoredKey]) -> Result<(), KeyError> {
        keys.iter_mut()
            .filter(|key| key.state == KeyState::Active)
            .try_for_each(|stored| key::reseal(stored, &self.master, &*self.random))
    }

    fn key_factory(&self) -> impl FnOnce(Timestamp, Timestamp) -> Result<StoredKey, KeyError> {
        |created_at, signs_from| {
            key::make(
                self.rules.alg,
                created_at,
                signs_from,
                &self.master,
                &*self.random,
            )
        }
    }
}

/// The change of each key that differs.
fn events_between(before: &[StoredKey], after: &[StoredKey]) -> Vec<(KeyEvent, String)> {
    let act = |key: &StoredKey| {
        let Some(old) = before.iter().find(|old| old.entry.kid == key.entry.kid) else {
            return Some(KeyEvent::Published);
        };
        match key.state {
            state if state == old.state => {
                let is_scheduled = key.entry.retires_at.is_some() && old.entry.retires_at.is_none();
                is_scheduled.then_some(KeyEvent::EndScheduled)
            }
            KeyState::Active => None,
            KeyState::Retired => Some(KeyEvent::Retired),
            KeyState::Revoked => Some(KeyEvent::Revoked),
        }
    };
    let changed = after
        .iter()
        .filter_map(|key| Some((act(key)?, key.entry.kid.as_str().to_owned())));
    changed.collect()
}

impl fmt::Debug for KeyManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyManager")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}
