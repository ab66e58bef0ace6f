//! Time as a parameter.

use std::{
    fmt,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

/// A point in time, in milliseconds since the Unix epoch.
///
/// Arithmetic saturates: a configuration with absurd lifetimes must not wrap around into the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// A time in milliseconds since the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// A time in seconds since the Unix epoch.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds, rounded down: a `NumericDate` of RFC 7519 §2.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This time without its fraction of a second, as a token can express it.
    #[must_use]
    pub const fn floor_to_secs(self) -> Self {
        Self::from_secs(self.secs())
    }

    /// A later time; the last one if there is no such time.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// An earlier time; the first one if there is no such time.
    #[must_use]
    pub fn saturating_sub(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// The duration from `self` to `later`; zero if `later` has passed.
    pub fn until(self, later: Self) -> Duration {
        Duration::from_millis(u64::try_from(later.0.saturating_sub(self.0)).unwrap_or(0))
    }

    /// The absolute difference between two times.
    pub fn distance(self, other: Self) -> Duration {
        Duration::from_millis(self.0.abs_diff(other.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.secs(), self.0.rem_euclid(1000))
    }
}

/// A source of time. Only the server's composition root has an implementation that reads the system clock.
pub trait Clock: Send + Sync {
    /// The current time.
    fn now(&self) -> Timestamp;
}

/// A clock for tests that moves only when told to.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `start`.
    pub fn at(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.millis()))
    }

    /// Sets the clock forward.
    pub fn advance(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// Sets the clock back, as an NTP correction would.
    pub fn step_back(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.0.fetch_sub(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_round_down_on_both_sides_of_the_epoch() {
        assert_eq!(Timestamp::from_millis(1999).secs(), 1);
        assert_eq!(Timestamp::from_millis(-1).secs(), -1);
    }

    #[test]
    fn the_far_future_saturates() {
        let end = Timestamp::from_millis(i64::MAX);
        assert_eq!(end.saturating_add(Duration::MAX), end);
        let beginning = Timestamp::from_millis(i64::MIN);
        assert_eq!(beginning.saturating_sub(Duration::MAX), beginning);
        assert_eq!(
            Timestamp::from_millis(5).until(Timestamp::from_millis(3)),
            Duration::ZERO
        );
    }

    #[test]
    fn a_timestamp_displays_seconds_and_millis() {
        assert_eq!(Timestamp::from_millis(1_234_056).to_string(), "1234.056");
        assert_eq!(Timestamp::from_millis(-1).to_string(), "-1.999");
    }

    #[test]
    fn until_is_directed_and_distance_is_not() {
        let (early, late) = (Timestamp::from_secs(10), Timestamp::from_secs(25));
        let apart = Duration::from_secs(15);
        assert_eq!(early.until(late), apart);
        assert_eq!(early.distance(late), apart);
        assert_eq!(late.distance(early), apart);
    }

    #[test]
    fn a_manual_clock_moves_only_when_advanced() {
        let start = Timestamp::from_secs(1_000);
        let clock = ManualClock::at(start);
        assert_eq!(clock.now(), start);
        clock.advance(Duration::from_mins(1));
        assert_eq!(clock.now(), Timestamp::from_secs(1_060));
        clock.step_back(Duration::from_secs(90));
        assert_eq!(clock.now(), Timestamp::from_secs(970));
    }
}
