//! Time by `performance.now()`.

use std::time::Duration;

use session_client::Clock;
use web_sys::Performance;

/// Time since the page was opened. Nobody can set it, and it never goes backwards.
///
/// On some systems it stands still while the computer sleeps, so after a night the manager may believe that a token is
/// still good. That heals itself: the server says 401 to the first request, and a 401 costs one refresh and one replay.
/// The wall clock would know about the night, but it may be wrong by hours, and then every page would suffer all day.
#[derive(Debug)]
pub(crate) struct PerformanceClock(Performance);

impl PerformanceClock {
    /// # Panics
    ///
    /// Where there is no window. This crate is for pages.
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
    fn a_number_that_is_no_time_is_the_beginning() {
        assert_eq!(from_millis(f64::NAN), Duration::ZERO);
        assert_eq!(from_millis(-1.0), Duration::ZERO);
    }
}
