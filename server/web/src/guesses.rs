//! Limits on guessing one account's password: how attempts are counted, and in which counter.
//!
//! # Layout
//! - this file: [`Guesses`], which the handlers that check passwords call
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
};

use aws_lc_rs::hmac;
use rotation::UserId;
use store::{
    AuditContext, Store, StoreError,
    guesses::{GuessCounter, GuessPolicy},
};

use crate::{known_browser::BrowserNumber, secrets::MasterSecret};

/// How many accounts may have failed sign-ins that wait for their timelines. Further ones appear only in a metric.
pub(crate) const MAX_WAITING: usize = 10_000;
/// How many bytes of an address are hashed. No account's address is longer.
const MAX_ADDRESS_BYTES: usize = 320;

/// Counts attempts to guess a password.
pub struct Guesses {
    pub(crate) policy: GuessPolicy,
    pub(crate) is_enabled: bool,
    key: hmac::Key,
    pub(crate) waiting: Mutex<HashMap<UserId, Waiting>>,
}

/// Failed sign-ins that are not on the account's timeline yet.
pub(crate) struct Waiting {
    pub(crate) count: u32,
    pub(crate) first: AuditContext,
}

impl Guesses {
    pub fn new(is_enabled: bool, master: &MasterSecret) -> Self {
        Self {
            policy: GuessPolicy::DEFAULT,
            is_enabled,
            key: hmac::Key::new(hmac::HMAC_SHA256, master.guesses_key()),
            waiting: Mutex::default(),
        }
    }

    /// Writes failed sign-ins to the timelines of their accounts. What could not be written waits for the next round.
    ///
    /// Not done in the request itself: refusing an address with an account would then take longer than refusing one
    /// without.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn write_timelines(&self, store: &Store) -> Result<(), StoreError> {
        let taken = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        let mut taken = taken.into_iter();
        while let Some((user, failures)) = taken.next() {
            let written = store
                .add_failed_sign_ins(user, failures.count, &failures.first)
                .await;
            if let Err(error) = written {
                self.put_back(taken.chain([(user, failures)]));
                return Err(error);
            }
        }
        Ok(())
    }

    fn put_back(&self, unwritten: impl Iterator<Item = (UserId, Waiting)>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for (user, failures) in unwritten {
            let there = waiting.entry(user).or_insert_with(|| Waiting {
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

pub(crate) fn head(address: &str) -> &[u8] {
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
