//! Readiness of this node, checked at most once per second.

use std::time::Duration;

use store::{Store, StoreError};
use tokio::{sync::Mutex, time::Instant};

/// How long a result is cached. The check writes, and anyone may request it: strangers must not be able to keep the
/// database writing.
const CACHE_TIME: Duration = Duration::from_secs(1);

/// The last result.
#[derive(Debug, Default)]
pub struct Readiness(Mutex<Option<(Instant, bool)>>);

/// Why a node is not ready.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the check failed less than a second ago")]
    FailedRecently,
}

impl Readiness {
    /// Checks that the database accepts a write and that another connection sees it. Concurrent callers wait for the
    /// same check.
    ///
    /// # Errors
    /// What the check found, or that it failed a moment ago.
    pub async fn check(&self, store: &Store) -> Result<(), NotReady> {
        let mut last = self.0.lock().await;
        if let Some((at, is_ready)) = *last
            && at.elapsed() < CACHE_TIME
        {
            return if is_ready {
                Ok(())
            } else {
                Err(NotReady::FailedRecently)
            };
        }
        let answer = store.probe().await;
        *last = Some((Instant::now(), answer.is_ok()));
        Ok(answer?)
    }
}
