//! In-memory store of the lab: a bounded number of entries, for a bounded time, created at a bounded rate.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rotation::Clock;

const MINUTE_MS: u64 = 60_000;
/// How long an entry is kept.
pub const KEPT_MS: u64 = 60 * MINUTE_MS;

/// An entry that is kept for a while.
pub trait Kept {
    fn id(&self) -> &str;
    fn started_at_ms(&self) -> u64;
    /// When the entry was last used. If there are too many, the least recently used is dropped.
    fn used_at_ms(&self) -> u64 {
        self.started_at_ms()
    }
}

/// The limits of one kind of entry.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub remembered: usize,
    /// How many may be created per minute.
    pub a_minute: usize,
}

/// All entries of one kind.
pub struct Shelf<T> {
    clock: Arc<dyn Clock>,
    bounds: Bounds,
    kept: Mutex<VecDeque<Arc<T>>>,
    /// When entries were created within the last minute.
    begun: Mutex<VecDeque<u64>>,
}

impl<T: Kept> Shelf<T> {
    pub fn new(clock: Arc<dyn Clock>, bounds: Bounds) -> Self {
        Self {
            clock,
            bounds,
            kept: Mutex::default(),
            begun: Mutex::default(),
        }
    }

    pub fn now_ms(&self) -> u64 {
        u64::try_from(self.clock.now().millis()).unwrap_or(0)
    }

    /// Whether another entry may be created; if so, it is counted immediately, also for concurrent callers.
    pub fn may_begin(&self) -> bool {
        let now = self.now_ms();
        let mut begun = lock(&self.begun);
        begun.retain(|at| now.saturating_sub(*at) < MINUTE_MS);
        let has_room = begun.len() < self.bounds.a_minute;
        if has_room {
            begun.push_back(now);
        }
        has_room
    }

    /// Adds an entry, and drops old ones.
    pub fn add(&self, thing: T) -> Arc<T> {
        let now = self.now_ms();
        let thing = Arc::new(thing);
        let mut kept = lock(&self.kept);
        kept.retain(|thing| is_young(&**thing, now));
        while kept.len() >= self.bounds.remembered {
            let idle = kept
                .iter()
                .enumerate()
                .min_by_key(|(_, thing)| thing.used_at_ms());
            let Some((at, _)) = idle else { break };
            kept.remove(at);
        }
        kept.push_back(Arc::clone(&thing));
        thing
    }

    pub fn find(&self, id: &str) -> Option<Arc<T>> {
        let now = self.now_ms();
        let kept = lock(&self.kept);
        let thing = kept.iter().find(|thing| thing.id() == id)?;
        is_young(&**thing, now).then(|| Arc::clone(thing))
    }
}

fn is_young(thing: &impl Kept, now_ms: u64) -> bool {
    now_ms.saturating_sub(thing.started_at_ms()) < KEPT_MS
}

/// A panic in another request must not disable the lab.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> fmt::Debug for Shelf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf")
            .field("bounds", &self.bounds)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU64, Ordering},
        time::Duration,
    };

    use rotation::Timestamp;

    use super::*;

    #[derive(Debug, Default)]
    struct Hands(AtomicU64);

    impl Clock for Hands {
        fn now(&self) -> Timestamp {
            Timestamp::from_secs(1_790_000_000)
                .saturating_add(Duration::from_secs(self.0.load(Ordering::Relaxed)))
        }
    }

    #[derive(Debug)]
    struct Thing {
        id: &'static str,
        at: u64,
        used: u64,
    }

    impl Kept for Thing {
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

    fn shelf() -> (Arc<Hands>, Shelf<Thing>) {
        let hands = Arc::new(Hands::default());
        let bounds = Bounds {
            remembered: 2,
            a_minute: 3,
        };
        let clock: Arc<dyn Clock> = Arc::clone(&hands) as _;
        (hands, Shelf::new(clock, bounds))
    }

    fn put(shelf: &Shelf<Thing>, id: &'static str, used: u64) {
        let at = shelf.now_ms();
        shelf.add(Thing { id, at, used });
    }

    #[test]
    fn of_too_many_the_idlest_goes() {
        let (_, shelf) = shelf();
        put(&shelf, "busy", 9);
        put(&shelf, "idle", 1);
        put(&shelf, "new", 5);
        let found = ["busy", "idle", "new"].map(|id| shelf.find(id).is_some());
        assert_eq!(found, [true, false, true]);
    }

    #[test]
    fn what_is_old_is_not_found() {
        let (hands, shelf) = shelf();
        put(&shelf, "old", 0);
        hands.0.store(KEPT_MS / 1000 - 1, Ordering::Relaxed);
        assert!(shelf.find("old").is_some());
        hands.0.store(KEPT_MS / 1000, Ordering::Relaxed);
        assert!(shelf.find("old").is_none());
    }

    #[test]
    fn the_pace_is_bounded_before_anything_is_made() {
        let (hands, shelf) = shelf();
        let begun: Vec<bool> = (0..4).map(|_| shelf.may_begin()).collect();
        assert_eq!(begun, [true, true, true, false]);
        hands.0.store(60, Ordering::Relaxed);
        assert!(shelf.may_begin());
    }
}
