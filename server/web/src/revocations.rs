//! Freshness of the revocation cache: when this process last read the ended sessions. The sessions themselves are in
//! [`store::Store`].

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Remembers when ended sessions were last read. Uses monotonic time: setting the wall clock forward must not make the
/// cache look stale.
#[derive(Debug)]
pub struct Revocations {
    /// `None`: not read yet.
    read_at: Mutex<Option<Instant>>,
    max_age: Duration,
}

/// Whether the revocation cache is fresh enough to rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    Fresh,
    Stale,
}

impl Revocations {
    pub fn new(max_age: Duration) -> Self {
        Self {
            read_at: Mutex::new(None),
            max_age,
        }
    }

    pub fn mark_read(&self) {
        *self.read_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// How long ago ended sessions were last read.
    pub fn age(&self) -> Duration {
        let read_at = *self.read_at.lock().unwrap_or_else(PoisonError::into_inner);
        read_at.map_or(Duration::MAX, |at| at.elapsed())
    }

    pub fn freshness(&self) -> Freshness {
        if self.age() <= self.max_age {
            Freshness::Fresh
        } else {
            Freshness::Stale
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_cache_becomes_stale_and_fresh_again() {
        let revocations = Revocations::new(Duration::from_secs(5));
        assert_eq!(revocations.freshness(), Freshness::Stale);
        revocations.mark_read();
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(revocations.freshness(), Freshness::Fresh);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(revocations.freshness(), Freshness::Stale);
        revocations.mark_read();
        assert_eq!(revocations.freshness(), Freshness::Fresh);
    }
}
