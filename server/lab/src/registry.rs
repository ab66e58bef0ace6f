//! In-memory store of the lab: a bounded number of entries, for a bounded time, created at a bounded rate.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex},
};

use rotation::{Clock, Timestamp};

use crate::lock::lock;

const MINUTE_MS: u64 = 60_000;
/// How long an entry is kept.
pub const LIFETIME_MS: u64 = 60 * MINUTE_MS;

/// An entry that is kept for a while.
pub trait RegistryEntry {
    fn id(&self) -> &str;
    fn started_at_ms(&self) -> u64;
    /// When the entry was last used. If there are too many, the least recently used is dropped.
    fn used_at_ms(&self) -> u64 {
        self.started_at_ms()
    }
}

/// The limits of one kind of entry.
#[derive(Debug, Clone, Copy)]
pub struct RegistryLimits {
    pub capacity: usize,
    /// How many may be created per minute.
    pub per_minute: usize,
}

/// All entries of one kind.
pub struct Registry<T> {
    clock: Arc<dyn Clock>,
    limits: RegistryLimits,
    entries: Mutex<VecDeque<Arc<T>>>,
    /// When entries were created within the last minute.
    created: Mutex<VecDeque<u64>>,
}

impl<T: RegistryEntry> Registry<T> {
    pub fn new(clock: Arc<dyn Clock>, limits: RegistryLimits) -> Self {
        Self {
            clock,
            limits,
            entries: Mutex::default(),
            created: Mutex::default(),
        }
    }

    pub fn now_ms(&self) -> u64 {
        millis(self.clock.now())
    }

    /// Whether another entry may be created; if so, it is counted immediately, also for concurrent callers.
    pub fn try_reserve(&self) -> bool {
        let now = self.now_ms();
        let mut created = lock(&self.created);
        created.retain(|at| now.saturating_sub(*at) < MINUTE_MS);
        let has_room = created.len() < self.limits.per_minute;
        if has_room {
            created.push_back(now);
        }
        has_room
    }

    /// Adds an entry, and drops old ones.
    pub fn add(&self, entry: T) -> Arc<T> {
        let now = self.now_ms();
        let entry = Arc::new(entry);
        let mut entries = lock(&self.entries);
        entries.retain(|entry| is_current(&**entry, now));
        while entries.len() >= self.limits.capacity {
            let idle = entries
                .iter()
                .enumerate()
                .min_by_key(|(_, entry)| entry.used_at_ms());
            let Some((at, _)) = idle else { break };
            entries.remove(at);
        }
        entries.push_back(Arc::clone(&entry));
        entry
    }

    pub fn find(&self, id: &str) -> Option<Arc<T>> {
        let now = self.now_ms();
        let entries = lock(&self.entries);
        let entry = entries.iter().find(|entry| entry.id() == id)?;
        is_current(&**entry, now).then(|| Arc::clone(entry))
    }
}

fn is_current(entry: &impl RegistryEntry, now_ms: u64) -> bool {
    now_ms.saturating_sub(entry.started_at_ms()) < LIFETIME_MS
}

/// The time in milliseconds, as the lab shows it.
pub fn millis(at: Timestamp) -> u64 {
    u64::try_from(at.millis()).unwrap_or(0)
}

impl<T> fmt::Debug for Registry<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rotation::ManualClock;

    use super::*;

    #[derive(Debug)]
    struct TestEntry {
        id: &'static str,
        at: u64,
        used: u64,
    }

    impl RegistryEntry for TestEntry {
        fn id(&self) -> &str {
            self.id
        }
        fn started_at_ms(&self) -> u64 {
            self.at
        }
        fn used_at_ms(&self) -> u64 {
            self.used
        }
    }

    fn registry() -> (Arc<ManualClock>, Registry<TestEntry>) {
        let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_790_000_000)));
        let limits = RegistryLimits {
            capacity: 2,
            per_minute: 3,
        };
        (Arc::clone(&clock), Registry::new(clock, limits))
    }

    fn put(registry: &Registry<TestEntry>, id: &'static str, used: u64) {
        let at = registry.now_ms();
        registry.add(TestEntry { id, at, used });
    }

    #[test]
    fn the_least_recently_used_entry_is_dropped() {
        let (_, registry) = registry();
        put(&registry, "busy", 9);
        put(&registry, "idle", 1);
        put(&registry, "new", 5);
        let found = ["busy", "idle", "new"].map(|id| registry.find(id).is_some());
        assert_eq!(found, [true, false, true]);
    }

    #[test]
    fn an_expired_entry_is_not_found() {
        let (clock, registry) = registry();
        put(&registry, "old", 0);
        clock.advance(Duration::from_millis(LIFETIME_MS - 1));
        assert!(registry.find("old").is_some());
        clock.advance(Duration::from_millis(1));
        assert!(registry.find("old").is_none());
    }

    #[test]
    fn creation_is_limited_per_minute() {
        let (clock, registry) = registry();
        let created: Vec<bool> = (0..4).map(|_| registry.try_reserve()).collect();
        assert_eq!(created, [true, true, true, false]);
        clock.advance(Duration::from_mins(1));
        assert!(registry.try_reserve());
    }
}
