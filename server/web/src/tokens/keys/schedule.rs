//! Key schedule: when a key is published, signs and retires. Pure functions over the list of keys, on which the caller
//! holds an exclusive lock.
//!
//! Lists are ordered by [`created_at`](KeyEntry::created_at), oldest first. “Newer” always means later in the list.

use std::time::Duration;

use rotation::{KeyId, Timestamp};
use store::keys::{KeyEntry, KeyState, StoredKey};

use super::{KeyError, KeyRules};

/// When a new key begins to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigningStart {
    /// Once every verifier can have it.
    AfterPublication,
    /// For emergencies: other verifiers may refuse its tokens until they fetch the keys again.
    Immediately,
}

/// The result of a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRotation {
    /// The key that signs next.
    pub next: KeyEntry,
    /// Whether the key was created now. If not, it had been published before and is waiting for its start.
    pub is_new: bool,
    /// The key that signed before, if there was one.
    pub previous: Option<KeyEntry>,
}

/// The result of a retirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRetirement {
    /// The key had signed nothing, so it has ended.
    Immediate,
    /// The key has a successor and will retire with its last token.
    Scheduled(Timestamp),
    /// The key had ended before.
    AlreadyEnded(KeyState),
}

/// The result of a revocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRevocation {
    /// The key's state before.
    pub previous_state: KeyState,
    /// The key that was created to sign in its place, if it was the signing key.
    pub successor: Option<KeyEntry>,
}

/// The key that signs at `now`: the newest whose start has passed. `entries` are the active keys.
///
/// If a clock was set back, there may be none. Then the key that starts first signs: every verifier has it, and a token
/// that is signed too early is better than none.
pub(super) fn signer<'a>(
    entries: impl DoubleEndedIterator<Item = &'a KeyEntry> + Clone,
    now: Timestamp,
) -> Option<&'a KeyEntry> {
    let mut trusted = entries.filter(move |entry| is_trusted(entry, now));
    trusted
        .clone()
        .rfind(|entry| entry.signs_from <= now)
        .or_else(|| trusted.by_ref().min_by_key(|entry| entry.signs_from))
}

/// Whether a key still verifies. Decided by the clock, so that it ends on all nodes at the same time, whichever node
/// updates the rows.
pub(super) fn is_trusted(entry: &KeyEntry, now: Timestamp) -> bool {
    entry.retires_at.is_none_or(|end| now < end)
}

/// Whether [`apply_schedule`] would change anything. `entries` are the active keys.
pub(super) fn is_due<'a>(
    mut entries: impl DoubleEndedIterator<Item = &'a KeyEntry> + Clone,
    rules: &KeyRules,
    now: Timestamp,
) -> bool {
    let Some(newest) = entries.clone().next_back() else {
        return true;
    };
    is_old(newest, rules, now) || entries.any(|entry| !is_trusted(entry, now))
}

/// Applies what is due: the first key, the end of keys whose last token has expired, and the next rotation.
///
/// # Errors
/// If `make` fails.
pub(super) fn apply_schedule(
    keys: &mut Vec<StoredKey>,
    rules: &KeyRules,
    now: Timestamp,
    make: impl FnOnce(Timestamp, Timestamp) -> Result<StoredKey, KeyError>,
) -> Result<(), KeyError> {
    schedule_retirements(keys, rules, now);
    if newest(keys).is_none_or(|newest| is_old(newest, rules, now)) {
        rotate(keys, rules, SigningStart::AfterPublication, now, make)?;
    }
    Ok(())
}

/// Whether the newest key has another algorithm than the configuration.
pub(super) fn is_for_another_alg(keys: &[StoredKey], rules: &KeyRules) -> bool {
    newest(keys).is_some_and(|newest| newest.alg != rules.alg.as_str())
}

/// Creates the next key, or finds that one is already waiting. `make` gets the time of creation and the start of
/// signing.
///
/// # Errors
/// If `make` fails.
pub(super) fn rotate(
    keys: &mut Vec<StoredKey>,
    rules: &KeyRules,
    start: SigningStart,
    now: Timestamp,
    make: impl FnOnce(Timestamp, Timestamp) -> Result<StoredKey, KeyError>,
) -> Result<KeyRotation, KeyError> {
    let before = signer(entries(keys), now).map(|entry| entry.kid.clone());
    let signs_from = match start {
        // With no key to sign in the meantime there is no reason to wait.
        SigningStart::AfterPublication if before.is_some() => now.saturating_add(rules.lead()),
        SigningStart::AfterPublication | SigningStart::Immediately => now,
    };
    let waiting = active_mut(keys)
        .next_back()
        .filter(|key| key.entry.signs_from > now && key.entry.alg == rules.alg.as_str());
    let (next, is_new) = if let Some(key) = waiting {
        key.entry.signs_from = key.entry.signs_from.min(signs_from);
        (key.entry.kid.clone(), false)
    } else {
        (add(keys, now, signs_from, make)?, true)
    };
    schedule_retirements(keys, rules, now);
    let entry = |kid: &KeyId| entries(keys).find(|entry| entry.kid == *kid).cloned();
    Ok(KeyRotation {
        previous: before.as_ref().filter(|kid| **kid != next).and_then(entry),
        next: entry(&next).ok_or(KeyError::None)?,
        is_new,
    })
}

/// Retires a key: immediately if it has signed nothing, otherwise with its last token.
///
/// # Errors
/// If the key does not exist, or no other key could sign.
pub(super) fn retire(
    keys: &mut [StoredKey],
    rules: &KeyRules,
    kid: &str,
    now: Timestamp,
) -> Result<KeyRetirement, KeyError> {
    schedule_retirements(keys, rules, now);
    let signs = signer(entries(keys), now).is_some_and(|signer| signer.kid.as_str() == kid);
    let key = find_mut(keys, kid)?;
    match (key.state, key.entry.retires_at) {
        (state @ (KeyState::Retired | KeyState::Revoked), _) => Ok(KeyRetirement::AlreadyEnded(state)),
        (KeyState::Active, Some(end)) => Ok(KeyRetirement::Scheduled(end)),
        (KeyState::Active, None) if signs => Err(KeyError::OnlySigner(key.entry.kid.clone())),
        (KeyState::Active, None) => {
            end(key, KeyState::Retired, now);
            schedule_retirements(keys, rules, now);
            Ok(KeyRetirement::Immediate)
        }
    }
}

/// Revokes a key immediately, because an attacker may have it. If it was the signing key, a new key is created that
/// signs from now on. A waiting key is not used, because the attacker may have that one as well.
///
/// # Errors
/// If the key does not exist, or `make` fails.
pub(super) fn revoke(
    keys: &mut Vec<StoredKey>,
    rules: &KeyRules,
    kid: &str,
    now: Timestamp,
    make: impl FnOnce(Timestamp, Timestamp) -> Result<StoredKey, KeyError>,
) -> Result<KeyRevocation, KeyError> {
    let signed = signer(entries(keys), now).is_some_and(|signer| signer.kid.as_str() == kid);
    let key = find_mut(keys, kid)?;
    let was = key.state;
    if was == KeyState::Active {
        end(key, KeyState::Revoked, now);
    } else {
        // The time of its end stays, but the record must show that the key is not to be trusted for the time before it.
        key.state = KeyState::Revoked;
    }
    let successor = if signed {
        Some(add(keys, now, now, make)?)
    } else {
        None
    };
    schedule_retirements(keys, rules, now);
    let successor = successor.and_then(|kid| entries(keys).find(|entry| entry.kid == kid).cloned());
    Ok(KeyRevocation {
        previous_state: was,
        successor,
    })
}

/// Sets when each key retires, from the newer keys, and ends those whose time has come.
fn schedule_retirements(keys: &mut [StoredKey], rules: &KeyRules, now: Timestamp) {
    let mut stops: Option<Timestamp> = None;
    for key in active_mut(keys).rev() {
        let end = stops.map(|stops| stops.saturating_add(rules.tail()));
        // Never earlier than announced before, because access_ttl may have been longer then. Not at all, if the
        // successor ended before it began.
        key.entry.retires_at = end.map(|end| key.entry.retires_at.map_or(end, |said| said.max(end)));
        let begins = key.entry.signs_from;
        stops = Some(stops.map_or(begins, |stops| stops.min(begins)));
    }
    for key in active_mut(keys) {
        if let Some(at) = key.entry.retires_at.filter(|at| *at <= now) {
            end(key, KeyState::Retired, at);
        }
    }
}

/// Erases the private part of an ended key, because that is all it could still leak.
fn end(key: &mut StoredKey, state: KeyState, at: Timestamp) {
    key.state = state;
    key.entry.retires_at = Some(at);
    key.sealed_private_key = Vec::new();
}

fn add(
    keys: &mut Vec<StoredKey>,
    now: Timestamp,
    signs_from: Timestamp,
    make: impl FnOnce(Timestamp, Timestamp) -> Result<StoredKey, KeyError>,
) -> Result<KeyId, KeyError> {
    // Newer than every other key, even if the clock was set back since.
    let last = keys.iter().map(|key| key.entry.created_at).max();
    let created_at = last.map_or(now, |last| now.max(last.saturating_add(Duration::from_millis(1))));
    let key = make(created_at, signs_from)?;
    let kid = key.entry.kid.clone();
    keys.push(key);
    Ok(kid)
}

fn is_old(newest: &KeyEntry, rules: &KeyRules, now: Timestamp) -> bool {
    rules
        .rotate_every
        .is_some_and(|period| newest.signs_from.saturating_add(period) <= now)
}

fn newest(keys: &[StoredKey]) -> Option<&KeyEntry> {
    entries(keys).next_back()
}

pub(super) fn entries(keys: &[StoredKey]) -> impl DoubleEndedIterator<Item = &KeyEntry> + Clone {
    keys.iter()
        .filter(|key| key.state == KeyState::Active)
        .map(|key| &key.entry)
}

fn active_mut(keys: &mut [StoredKey]) -> impl DoubleEndedIterator<Item = &mut StoredKey> {
    keys.iter_mut().filter(|key| key.state == KeyState::Active)
}

fn find_mut<'a>(keys: &'a mut [StoredKey], kid: &str) -> Result<&'a mut StoredKey, KeyError> {
    keys.iter_mut()
        .find(|key| key.entry.kid.as_str() == kid)
        .ok_or_else(|| KeyError::NoSuchKey(KeyId::new(kid)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::keys::Alg;

    const RULES: KeyRules = KeyRules {
        alg: Alg::EdDsa,
        access_ttl: Duration::from_mins(15),
        rotate_every: Some(Duration::from_hours(24)),
    };
    const START: Timestamp = Timestamp::from_secs(1_000_000);

    fn after(secs: u64) -> Timestamp {
        START.saturating_add(Duration::from_secs(secs))
    }

    /// Keys are named k1, k2, … in the order in which they are made.
    #[derive(Default)]
    struct Keys(Vec<StoredKey>);

    fn maker(count: usize, alg: Alg) -> impl FnOnce(Timestamp, Timestamp) -> Result<StoredKey, KeyError> {
        move |created_at, signs_from| {
            Ok(StoredKey {
                entry: KeyEntry {
                    kid: KeyId::new(format!("k{}", count + 1)),
                    alg: alg.as_str().to_owned(),
                    created_at,
                    signs_from,
                    retires_at: None,
                },
                state: KeyState::Active,
                sealed_private_key: vec![1],
            })
        }
    }

    impl Keys {
        fn first() -> Self {
            let mut keys = Self::default();
            keys.apply_schedule(START);
            keys
        }

        fn apply_schedule(&mut self, now: Timestamp) {
            let make = maker(self.0.len(), RULES.alg);
            apply_schedule(&mut self.0, &RULES, now, make).expect("applies");
        }

        fn rotate(&mut self, start: SigningStart, now: Timestamp) -> KeyRotation {
            let make = maker(self.0.len(), RULES.alg);
            rotate(&mut self.0, &RULES, start, now, make).expect("rotates")
        }

        fn retire(&mut self, kid: &str, now: Timestamp) -> Result<KeyRetirement, KeyError> {
            retire(&mut self.0, &RULES, kid, now)
        }

        fn revoke(&mut self, kid: &str, now: Timestamp) -> Result<KeyRevocation, KeyError> {
            let make = maker(self.0.len(), RULES.alg);
            revoke(&mut self.0, &RULES, kid, now, make)
        }

        fn signer(&self, now: Timestamp) -> &str {
            signer(entries(&self.0), now).expect("a signer").kid.as_str()
        }

        /// All keys with the first letter of their state, and the seconds from the start until they end.
        fn story(&self) -> String {
            let tell = |key: &StoredKey| {
                let end = key
                    .entry
                    .retires_at
                    .map_or("-".to_owned(), |end| START.until(end).as_secs().to_string());
                format!("{}:{}:{end}", key.entry.kid, &key.state.as_str()[..3])
            };
            self.0.iter().map(tell).collect::<Vec<_>>().join(" ")
        }
    }

    #[test]
    fn the_first_key_signs_at_once() {
        let keys = Keys::first();
        assert_eq!((keys.signer(START), keys.story().as_str()), ("k1", "k1:act:-"));
    }

    #[test]
    fn a_rotation_publishes_then_signs_then_retires() {
        let mut keys = Keys::first();
        let rotated = keys.rotate(SigningStart::AfterPublication, START);
        assert_eq!((rotated.is_new, rotated.next.signs_from), (true, after(306)));
        assert_eq!(
            rotated.previous.and_then(|key| key.retires_at),
            Some(after(306 + 905))
        );
        assert_eq!(keys.signer(after(305)), "k1");
        assert_eq!(keys.signer(after(306)), "k2");
        keys.apply_schedule(after(1210));
        assert_eq!(keys.story(), "k1:act:1211 k2:act:-");
        keys.apply_schedule(after(1211));
        assert_eq!(keys.story(), "k1:ret:1211 k2:act:-");
        assert!(keys.0[0].sealed_private_key.is_empty());
    }

    #[test]
    fn a_second_rotation_waits_for_the_first() {
        let mut keys = Keys::first();
        keys.rotate(SigningStart::AfterPublication, START);
        let again = keys.rotate(SigningStart::AfterPublication, after(100));
        assert_eq!((again.is_new, again.next.signs_from), (false, after(306)));
        assert_eq!(keys.0.len(), 2);
        let hurried = keys.rotate(SigningStart::Immediately, after(200));
        assert_eq!((hurried.is_new, hurried.next.signs_from), (false, after(200)));
        assert_eq!(keys.signer(after(200)), "k2");
    }

    #[test]
    fn an_emergency_key_signs_immediately_and_the_old_one_verifies() {
        let mut keys = Keys::first();
        keys.rotate(SigningStart::Immediately, after(10));
        assert_eq!(keys.signer(after(10)), "k2");
        assert_eq!(keys.story(), "k1:act:915 k2:act:-");
    }

    #[test]
    fn the_schedule_rotates_once_each_period() {
        let mut keys = Keys::first();
        let day = 24 * 3600;
        assert!(!is_due(entries(&keys.0), &RULES, after(day - 1)));
        keys.apply_schedule(after(day - 1));
        assert_eq!(keys.0.len(), 1);
        assert!(is_due(entries(&keys.0), &RULES, after(day)));
        keys.apply_schedule(after(day));
        keys.apply_schedule(after(day));
        assert_eq!(keys.0.len(), 2);
        assert!(!is_due(entries(&keys.0), &RULES, after(day)));
        assert!(is_due(entries(&keys.0), &RULES, after(day + 306 + 905)));
    }

    #[test]
    fn without_a_schedule_keys_do_not_rotate() {
        let mut keys = Keys::first();
        let rules = KeyRules {
            rotate_every: None,
            ..RULES
        };
        let years = after(10 * 365 * 24 * 3600);
        assert!(!is_due(entries(&keys.0), &rules, years));
        let make = maker(1, Alg::EdDsa);
        apply_schedule(&mut keys.0, &rules, years, make).expect("applies");
        assert_eq!(keys.story(), "k1:act:-");
    }

    #[test]
    fn the_only_signer_does_not_retire() {
        let mut keys = Keys::first();
        assert!(matches!(keys.retire("k1", START), Err(KeyError::OnlySigner(_))));
        assert!(matches!(keys.retire("k9", START), Err(KeyError::NoSuchKey(_))));
        keys.rotate(SigningStart::AfterPublication, START);
        assert_eq!(
            keys.retire("k1", START).ok(),
            Some(KeyRetirement::Scheduled(after(1211)))
        );
    }

    #[test]
    fn a_key_that_never_signed_retires_immediately() {
        let mut keys = Keys::first();
        keys.rotate(SigningStart::AfterPublication, START);
        assert_eq!(keys.retire("k2", after(5)).ok(), Some(KeyRetirement::Immediate));
        assert_eq!(keys.story(), "k1:act:- k2:ret:5");
        assert_eq!(keys.signer(after(5000)), "k1");
        let again = keys.retire("k2", after(6)).ok();
        assert_eq!(again, Some(KeyRetirement::AlreadyEnded(KeyState::Retired)));
    }

    #[test]
    fn a_revoked_signer_is_replaced_by_a_new_key() {
        let mut keys = Keys::first();
        keys.rotate(SigningStart::AfterPublication, START);
        let revocation = keys.revoke("k1", after(10)).expect("revokes");
        assert_eq!(revocation.previous_state, KeyState::Active);
        assert_eq!(revocation.successor.map(|key| key.signs_from), Some(after(10)));
        assert_eq!(keys.signer(after(10)), "k3");
        assert_eq!(keys.signer(after(400)), "k3", "k2's time never comes");
        assert_eq!(keys.story(), "k1:rev:10 k2:act:915 k3:act:-");
        assert!(keys.0[0].sealed_private_key.is_empty());
    }

    #[test]
    fn a_key_that_does_not_sign_is_revoked_without_a_successor() {
        let mut keys = Keys::first();
        keys.rotate(SigningStart::AfterPublication, START);
        assert_eq!(keys.revoke("k2", after(10)).expect("revokes").successor, None);
        assert_eq!(keys.story(), "k1:act:- k2:rev:10");
        let again = keys.revoke("k2", after(20)).expect("revokes");
        assert_eq!((again.previous_state, again.successor), (KeyState::Revoked, None));
        assert_eq!(keys.story(), "k1:act:- k2:rev:10");
    }

    #[test]
    fn another_algorithm_is_published_first() {
        let mut keys = Keys::first();
        let rules = KeyRules {
            alg: Alg::Es256,
            ..RULES
        };
        assert!(is_for_another_alg(&keys.0, &rules));
        let make = maker(1, Alg::Es256);
        rotate(&mut keys.0, &rules, SigningStart::AfterPublication, START, make).expect("rotates");
        assert!(!is_for_another_alg(&keys.0, &rules));
        assert_eq!((keys.signer(after(305)), keys.signer(after(306))), ("k1", "k2"));
    }

    #[test]
    fn a_symmetric_key_needs_no_cache_time() {
        let rules = KeyRules {
            alg: Alg::Hs256,
            ..RULES
        };
        assert_eq!(rules.lead(), Duration::from_secs(6));
    }

    #[test]
    fn a_clock_set_back_still_has_a_signer() {
        let mut keys = Keys::first();
        let earlier = Timestamp::from_millis(START.millis() - 3_600_000);
        assert_eq!(keys.signer(earlier), "k1");
        keys.revoke("k1", earlier).expect("revokes");
        assert!(keys.0[0].entry.created_at < keys.0[1].entry.created_at);
        assert_eq!((keys.signer(earlier), keys.signer(START)), ("k2", "k2"));
    }

    #[test]
    fn retirement_waits_for_the_longest_token_lifetime() {
        let mut keys = Keys::first();
        keys.rotate(SigningStart::Immediately, START);
        let with = |minutes| KeyRules {
            access_ttl: Duration::from_mins(minutes),
            ..RULES
        };
        schedule_retirements(&mut keys.0, &with(5), START);
        assert_eq!(keys.story(), "k1:act:905 k2:act:-");
        schedule_retirements(&mut keys.0, &with(60), START);
        assert_eq!(keys.story(), "k1:act:3605 k2:act:-");
    }
}
