//! Limits on guessing one account's password: how attempts are counted, and in which counter.
//!
//! # Layout
//! - this file: [`Guesses`], the policy, the counters' keys, and failed sign-ins until they are on a timeline
//! - `guess_guard` what the handlers that check passwords call
//! - `store::guesses` the counters and the delays; [`known_browser`](crate::known_browser) the cookie that exempts a
//!   browser
//!
//! # Invariants
//! - An attempt is counted before its password is hashed, in the database that all nodes share. If the database fails,
//!   the attempt is refused.
//! - The limit does not reveal which addresses have accounts: addresses without an account are counted in the same way.
//! - A stranger's attempts never delay a browser that signed in to the account before.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use aws_lc_rs::hmac;
use rotation::{Timestamp, UserId};
use store::{
    AuditContext, Store, StoreError,
    guesses::{GuessCounter, GuessPolicy, Reservation},
};

use crate::{known_browser::BrowserNumber, secrets::MasterSecret};

/// How many accounts may have failed sign-ins that wait for their timelines. Further ones appear only in a metric.
const MAX_PENDING: usize = 10_000;
/// How many bytes of an address are hashed. No account's address is longer.
const MAX_ADDRESS_BYTES: usize = 320;

/// Counts attempts to guess a password.
pub struct Guesses {
    policy: GuessPolicy,
    is_enabled: bool,
    key: hmac::Key,
    pending: Mutex<HashMap<UserId, PendingFailures>>,
}

/// Failed sign-ins that are not on the account's timeline yet.
struct PendingFailures {
    count: u32,
    first: AuditContext,
}

impl Guesses {
    pub fn new(is_enabled: bool, master: &MasterSecret) -> Self {
        Self {
            policy: GuessPolicy::DEFAULT,
            is_enabled,
            key: hmac::Key::new(hmac::HMAC_SHA256, master.guesses_key()),
            pending: Mutex::default(),
        }
    }

    /// Reserves an attempt in the database; `None` if limits are disabled.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub(crate) async fn reserve(
        &self,
        store: &Store,
        counter: GuessCounter,
        now: Timestamp,
    ) -> Result<Option<Reservation>, StoreError> {
        if !self.is_enabled {
            return Ok(None);
        }
        store.reserve_attempt(counter, &self.policy, now).await.map(Some)
    }

    /// The longest time that an attempt has to wait.
    pub(crate) fn longest_delay(&self) -> Duration {
        self.policy.longest_delay
    }

    /// Resets the counters of an account after a sign-in; see [`Store::forget_failures`].
    ///
    /// # Errors
    /// If the database is unavailable.
    pub(crate) async fn forget_failures(
        &self,
        store: &Store,
        user: UserId,
        also: &[GuessCounter],
        own: u32,
        context: &AuditContext,
    ) -> Result<(), StoreError> {
        store
            .forget_failures(user, also, own, &self.policy, context)
            .await
    }

    /// Keeps a failed sign-in for the account's timeline; `false` if too many accounts wait already.
    pub(crate) fn add_pending_failure(&self, user: UserId, context: AuditContext) -> bool {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(failures) = pending.get_mut(&user) {
            failures.count = failures.count.saturating_add(1);
            failures.first.client = context.client;
        } else if pending.len() < MAX_PENDING {
            pending.insert(
                user,
                PendingFailures {
                    count: 1,
                    first: context,
                },
            );
        } else {
            return false;
        }
        true
    }

    /// Writes failed sign-ins to the timelines of their accounts. What could not be written waits for the next round.
    ///
    /// Not done in the request itself: refusing an address with an account would then take longer than refusing one
    /// without.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn write_timelines(&self, store: &Store) -> Result<(), StoreError> {
        let taken = std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        let mut taken = taken.into_iter();
        while let Some((user, failures)) = taken.next() {
            let written = store
                .add_failed_sign_ins(user, failures.count, &failures.first)
                .await;
            if let Err(error) = written {
                self.requeue(taken.chain([(user, failures)]));
                return Err(error);
            }
        }
        Ok(())
    }

    fn requeue(&self, unwritten: impl Iterator<Item = (UserId, PendingFailures)>) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        for (user, failures) in unwritten {
            let there = pending.entry(user).or_insert_with(|| PendingFailures {
                count: 0,
                first: failures.first.clone(),
            });
            there.count = there.count.saturating_add(failures.count);
        }
    }

    pub(crate) fn browser_counter(&self, number: BrowserNumber, user: UserId) -> GuessCounter {
        let both = [number.as_bytes(), user.uuid().as_bytes()].concat();
        GuessCounter::of_account_apart(user, self.hash(b"browser", &both))
    }

    pub(crate) fn reauthentication_counter(&self, user: UserId) -> GuessCounter {
        GuessCounter::of_account_apart(user, self.hash(b"current password", user.uuid().as_bytes()))
    }

    pub(crate) fn hash(&self, purpose: &[u8], what: &[u8]) -> [u8; 16] {
        let mut hash = [0; 16];
        let signed = hmac::sign(&self.key, &[purpose, b"\0", what].concat());
        hash.copy_from_slice(&signed.as_ref()[..16]);
        hash
    }
}

pub(crate) fn address_prefix(address: &str) -> &[u8] {
    let bytes = address.as_bytes();
    &bytes[..bytes.len().min(MAX_ADDRESS_BYTES)]
}

impl fmt::Debug for Guesses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guesses")
            .field("is_enabled", &self.is_enabled)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
