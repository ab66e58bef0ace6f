//! Monotonic clock: `performance.now()`.

use std::time::Duration;

use session_client::Clock;
use web_sys::Performance;

/// Time since the page was opened. No one can set this clock, and it never goes backwards.
///
/// On some systems it stops while the computer sleeps, so after a night the manager may treat an expired token as
/// valid. This corrects itself: the server answers the first request with 401, which costs one refresh and one replay.
/// The wall clock would include the night, but it may be wrong by hours, which would affect every page all day.
#[derive(Debug)]
pub(crate) struct PerformanceClock(Performance);

impl PerformanceClock {
    /// # Panics
    ///
    /// If there is no window. This crate is only for pages.
    pub(crate) fn new() -> Self {
        let performance = web_sys::window().and_then(|window| window.performance());
        Self(performance.expect("a page has a clock"))
    }
}

impl Clock for PerformanceClock {
    fn now(&self) -> Duration {
        from_millis(self.0.now())
    }
}

fn from_millis(millis: f64) -> Duration {
    Duration::try_from_secs_f64(millis / 1000.0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_keep_their_fractions() {
        assert_eq!(from_millis(1_234.5), Duration::from_micros(1_234_500));
    }

    #[test]
    fn invalid_numbers_become_zero() {
        assert_eq!(from_millis(f64::NAN), Duration::ZERO);
        assert_eq!(from_millis(-1.0), Duration::ZERO);
    }
}
