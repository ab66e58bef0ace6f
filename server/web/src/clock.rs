//! The system's clock. No other module reads it.

use rotation::{Clock, Timestamp};

/// The system's wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the clock that everybody else is given"
        )]
        let now = std::time::SystemTime::now();
        let millis = match now.duration_since(std::time::UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |millis| -millis),
        };
        Timestamp::from_millis(millis)
    }
}

/// The system's clock plus an offset that end-to-end tests change. Not compiled into a release.
#[cfg(feature = "test-clock")]
#[derive(Debug, Default)]
pub struct AdjustableClock {
    offset_millis: std::sync::atomic::AtomicI64,
}

#[cfg(feature = "test-clock")]
impl AdjustableClock {
    /// Moves the clock by this many seconds, forward or back.
    pub fn advance(&self, seconds: i64) {
        self.offset_millis
            .fetch_add(seconds.saturating_mul(1000), std::sync::atomic::Ordering::SeqCst);
    }
}

#[cfg(feature = "test-clock")]
impl Clock for AdjustableClock {
    fn now(&self) -> Timestamp {
        let offset = self.offset_millis.load(std::sync::atomic::Ordering::SeqCst);
        Timestamp::from_millis(SystemClock.now().millis().saturating_add(offset))
    }
}
